import { bluumSignature } from "../bluum/signature.ts";
import { WebhookError } from "../errors.ts";
import { checksFor } from "../options.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import { finding, MountError, type MountFinding } from "./mount-findings.ts";
import { bodyLimitFindings } from "./verify-mount/body-limit.ts";
import { explain } from "./verify-mount/explain.ts";
import { forgeryFindings } from "./verify-mount/forgery.ts";
import { Mount } from "./verify-mount/mount.ts";
import { PING, PLAIN } from "./verify-mount/pings.ts";

const { integer, invalid } = checksFor("verifyMount");

/** Where a receiver is mounted: its URL, or an app in this process, such as Hono's `app.request` or `app.fetch`. */
export type MountTarget = string | URL | ((request: Request) => Response | Promise<Response>);

/** How to check a mount; see {@link verifyMount}. */
export interface VerifyMountOptions {
  /** The endpoint's secret, the same as the receiver's. The type admits `undefined` for `process.env`; it is refused. */
  readonly secret: string | undefined;
  /**
   * How the provider signs: the receiver's scheme.
   * @default bluumSignature()
   */
  readonly scheme?: SignatureScheme;
  /**
   * The path of the receiver, for an app in this process. Not allowed with a URL, which has its own path.
   * @default "/webhooks/bluum"
   */
  readonly path?: string;
  /** Headers for every request, such as a token for a preview deployment. */
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /**
   * The size of a body that the mount must accept, in bytes, from 0 to 16 MiB.
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

/** The result of checking a sound mount. */
export interface MountReport {
  /** The mount's scheme, host and path. */
  readonly where: string;
  /** The time from sending the first ping to the headers of its answer, in milliseconds. */
  readonly roundTripMs: number;
  /** How many requests were sent. */
  readonly probes: number;
  /** The size of the largest body that was accepted, in bytes. */
  readonly bodyBytes: number;
  /** The receiver's clock minus this machine's, in milliseconds, accurate to about a second. Missing if the answer has no `Date`. */
  readonly clockSkewMs?: number;
}

/**
 * Checks that webhooks reach a mounted receiver. It sends a signed ping (`bluum-webhooks.ping`) through everything in front of the
 * receiver; if the answer is not that of a receiver, it sends more probes to find out why. It fulfils if the mount is sound: a ping is
 * answered, a large body is accepted, and neither an unsigned request nor the signature of another body is answered 2xx. No ping
 * reaches your handlers or the store, so a live deployment can be checked. Every request has the header `bluum-webhooks-probe: 1`, which
 * marks it in the receiver's log and reports.
 *
 * @throws MountError `mount_broken`: its message says what is wrong and what to change, `findings` says it for programs
 * @throws WebhookError `configuration_invalid` for an option that cannot work
 * @example
 * await verifyMount(app.request, { secret });
 * await verifyMount("https://example.com/webhooks/bluum", { secret: process.env.BLUUM_WEBHOOK_SECRET });
 */
export async function verifyMount(target: MountTarget, options: VerifyMountOptions): Promise<MountReport> {
  const { scheme = bluumSignature(), bodyBytes = 65_536, timeoutMs = 10_000, signal } = options;
  integer("bodyBytes", bodyBytes, 0, 16 * 1024 * 1024);
  integer("timeoutMs", timeoutMs, 1, 600_000);
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
    return await examine(new Mount({ ...access, signal: time.signal }), bodyBytes, time.signal);
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

/** The findings, each cause once; with `timed_out` added if time ran out before all checks were done. */
function complete(findings: readonly MountFinding[], { aborted }: AbortSignal): MountFinding[] {
  const once = findings.filter(({ cause }, index) => findings.findIndex((other) => other.cause === cause) === index);
  if (!aborted || once.some(({ cause }) => cause === "timed_out" || cause === "aborted")) return once;
  return [...once, finding("timed_out", "There was no time for more checks.")];
}

function causeOf({ lastError }: Mount): { readonly cause?: unknown } {
  return lastError === undefined ? {} : { cause: lastError };
}

/** A signal that aborts after `timeoutMs`, or when the user's signal does. `close` clears the timer. */
function timeBox(timeoutMs: number, users: AbortSignal | undefined): { signal: AbortSignal; close: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException("no time left", "TimeoutError")), timeoutMs);
  // Not with the user's reason: that may be named TimeoutError, too.
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
  if (path !== undefined) throw invalid("path", "is for an app in this process; a URL has its own path");
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (!/^https?:$/.test(url?.protocol ?? ""))
    throw invalid("the URL", "must be complete and begin with http:// or https://");
  if (url?.username || url?.password) throw invalid("the URL", "must not contain a user or password; use headers");
  return url as URL;
}

function inProcess(path: string): URL {
  if (typeof path !== "string" || !/^\/(?!\/)/.test(path)) throw invalid("path", "must begin with one slash");
  return new URL(path, ORIGIN);
}

function headersOf(given: VerifyMountOptions["headers"]): Headers {
  try {
    return new Headers(given);
  } catch {
    throw invalid("headers", "has a name or value that is not valid in HTTP");
  }
}

/** Refuses a secret that the receiver would refuse. */
function checkSecret(secret: string | undefined, scheme: SignatureScheme): string {
  if (typeof secret !== "string" || secret.trim() === "")
    throw invalid("secret", "is missing; give the secret of the receiver");
  try {
    scheme.sign({ secret, body: new TextEncoder().encode(PLAIN), nowMs: Date.now() });
    return secret;
  } catch (error) {
    if (error instanceof WebhookError) throw error;
    throw invalid("secret", `was refused by the scheme ${scheme.name}`);
  }
}
