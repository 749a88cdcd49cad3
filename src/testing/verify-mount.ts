import { bluumSignature } from "../bluum/signature.ts";
import { WebhookError } from "../errors.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import { finding, MountError, type MountFinding } from "./mount-findings.ts";
import { bodyLimitFindings } from "./verify-mount/body-limit.ts";
import { explain } from "./verify-mount/explain.ts";
import { forgeryFindings } from "./verify-mount/forgery.ts";
import { type Mount, mountAt } from "./verify-mount/mount.ts";
import { PING, PLAIN } from "./verify-mount/pings.ts";

/** Where a receiver is mounted: its URL, or an app in this process, such as Hono's `app.request` or `app.fetch`. */
export type MountTarget = string | URL | ((request: Request) => Response | Promise<Response>);

/** How to check a mount; see {@link verifyMount}. */
export interface VerifyMountOptions {
  /** The endpoint's secret, the one that the receiver has. `undefined` is admitted for `process.env`, and refused. */
  readonly secret: string | undefined;
  /**
   * How the provider signs, as the receiver was told.
   * @default bluumSignature()
   */
  readonly scheme?: SignatureScheme;
  /**
   * Where the receiver is mounted in an app in this process. A URL has a path of its own.
   * @default "/webhooks/bluum"
   */
  readonly path?: string;
  /** Headers for every request, such as those that let a request into a preview deployment. */
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /**
   * The size of a body that must get through, in bytes, from 0 to 16 MiB.
   * @default 65_536
   */
  readonly bodyBytes?: number;
  /**
   * How long the whole check may take, in milliseconds, from 1 to 600,000.
   * @default 10_000
   */
  readonly timeoutMs?: number;
  /** Ends the check early. */
  readonly signal?: AbortSignal;
}

/** What was found of a sound mount. */
export interface MountReport {
  /** Where it is: scheme, host and path. */
  readonly where: string;
  /** How long the first ping took, to the head of its answer, in milliseconds. */
  readonly roundTripMs: number;
  /** How many requests were sent. */
  readonly probes: number;
  /** The size of the largest body that got through, in bytes. */
  readonly bodyBytes: number;
  /** The receiver's clock against this machine's, in milliseconds and to about a second, where the answer has a `Date`. */
  readonly clockSkewMs?: number;
}

/**
 * Sends a signed ping (`bluum-webhooks.ping`) through all that stands before a receiver, and finds out by more of them what
 * is wrong where the answer is not a receiver's. Fulfils where the mount is sound: a ping is answered, a large body gets
 * through, and neither an unsigned request nor the signature of another body is acknowledged. No ping reaches your handlers
 * or the store, so it can be sent to a deployment that works. Every request carries the header `bluum-webhooks-probe: 1`, by
 * which the receiver's log and reports mark it.
 *
 * @throws MountError `mount_broken`, whose message says what is wrong and what to change, and `findings` for programs
 * @throws WebhookError `configuration_invalid` for options that cannot work
 * @example
 * await verifyMount(app.request, { secret });
 * await verifyMount("https://example.com/webhooks/bluum", { secret: process.env.BLUUM_WEBHOOK_SECRET });
 */
export async function verifyMount(target: MountTarget, options: VerifyMountOptions): Promise<MountReport> {
  const { scheme = bluumSignature(), bodyBytes = 65_536, timeoutMs = 10_000, signal } = options;
  checkRange("bodyBytes", bodyBytes, 0, 16 * 1024 * 1024);
  checkRange("timeoutMs", timeoutMs, 1, 600_000);
  const access = {
    remote: typeof target !== "function",
    fetch: typeof target === "function" ? target : (request: Request) => fetch(request),
    url: urlOf(target, options.path),
    secret: checkSecret(options.secret, scheme),
    headers: headersOf(options.headers),
    scheme,
  };
  const time = timeBox(timeoutMs, signal);
  try {
    return await examine(mountAt({ ...access, signal: time.signal }), bodyBytes, time.signal);
  } finally {
    time.close();
  }
}

async function examine(mount: Mount, bodyBytes: number, signal: AbortSignal): Promise<MountReport> {
  const first = await mount.signed(PING);
  const findings = first.ping
    ? [...(await forgeryFindings(mount)), ...(await bodyLimitFindings(mount, bodyBytes))]
    : await explain(first, mount);
  if (findings.length > 0) throw new MountError(mount.where, complete(findings, signal), causeOf(mount));
  const { where, probes } = mount;
  const skew = first.skewMs === undefined ? {} : { clockSkewMs: Math.round(first.skewMs) };
  return { where, roundTripMs: first.tookMs, probes, bodyBytes: Math.max(bodyBytes, PING.length), ...skew };
}

/** The findings, each cause once; with a word of it where there was no time for all. */
function complete(findings: readonly MountFinding[], { aborted }: AbortSignal): MountFinding[] {
  const once = findings.filter(({ cause }, place) => findings.findIndex((other) => other.cause === cause) === place);
  if (!aborted || once.some(({ cause }) => cause === "timed_out" || cause === "aborted")) return once;
  return [...once, finding("timed_out", "There was no time to find out more.")];
}

function causeOf({ lastError }: Mount): { readonly cause?: unknown } {
  return lastError === undefined ? {} : { cause: lastError };
}

/** A signal that aborts when the time is up, or when the user's does; and how to put the clock away. */
function timeBox(timeoutMs: number, users: AbortSignal | undefined): { signal: AbortSignal; close: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException("no time left", "TimeoutError")), timeoutMs);
  // By our own reason: the user's may be a time-out, too.
  const abort = () => controller.abort(new DOMException("the signal was aborted", "AbortError"));
  users?.addEventListener("abort", abort);
  if (users?.aborted) abort();
  return {
    signal: controller.signal,
    close() {
      clearTimeout(timer);
      users?.removeEventListener("abort", abort);
    },
  };
}

const ORIGIN = "http://localhost";

function urlOf(target: MountTarget, path: string | undefined): URL {
  if (typeof target === "function") return inProcess(path ?? "/webhooks/bluum");
  if (path !== undefined) throw refused("path", "is for an app in this process; a URL has its own");
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (!/^https?:$/.test(url?.protocol ?? "")) throw refused("the URL", "must be a whole one, http:// or https://");
  if (url?.username || url?.password) throw refused("the URL", "must not hold a password; use headers");
  return url as URL;
}

function inProcess(path: string): URL {
  if (typeof path !== "string" || !/^\/(?!\/)/.test(path)) throw refused("path", "must begin with one slash");
  return new URL(path, ORIGIN);
}

function headersOf(given: VerifyMountOptions["headers"]): Headers {
  try {
    return new Headers(given);
  } catch {
    throw refused("headers", "has a name or a value that no header can have");
  }
}

/** What the receiver would refuse is refused here, too: the secret of neither can be sound then. */
function checkSecret(secret: string | undefined, scheme: SignatureScheme): string {
  if (typeof secret !== "string" || secret.trim() === "")
    throw refused("secret", "is missing; give that of the receiver");
  try {
    scheme.sign({ secret, body: new TextEncoder().encode(PLAIN), nowMs: Date.now() });
    return secret;
  } catch (error) {
    if (error instanceof WebhookError) throw error;
    throw refused("secret", `was refused by the scheme ${scheme.name}`);
  }
}

function checkRange(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw refused(option, `must be an integer from ${least} to ${most}`);
}

function refused(option: string, problem: string): WebhookError {
  return new WebhookError("configuration_invalid", `verifyMount: ${option} ${problem}.`);
}
