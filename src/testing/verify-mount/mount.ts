import { PROBE_HEADER } from "../../delivery.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { type Answer, type Failure, readAnswer, safe, unanswered } from "./answer.ts";

/** A mount under examination. None of its methods ever rejects. */
export interface Mount {
  /** Where it is, without what may be confidential in a URL. */
  readonly where: string;
  readonly path: string;
  readonly scheme: SignatureScheme;
  /** By how much the receiver's clock was found to differ from this machine's; every later signature is made by it. */
  shiftMs: number;
  /** How many requests were sent. */
  readonly probes: number;
  /** What was thrown at the last request that got no answer. */
  readonly lastError: unknown;
  /** Sends a body, signed. */
  signed(body: string, how?: Signing): Promise<Answer>;
  /** Sends a request as it is told. */
  send(probe: Probe): Promise<Answer>;
  /** The signature headers for a body. */
  sign(body: string, how?: Signing): Record<string, string>;
}

/** How a probe is signed, where it is not as the provider would. */
interface Signing {
  readonly scheme?: SignatureScheme;
  readonly contentType?: string;
  readonly path?: string;
  /** The time of signing against this machine's clock. */
  readonly shiftMs?: number;
}

/** One request. */
interface Probe {
  readonly method?: "POST" | "GET";
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a mount is reached by, and how. */
export interface Access {
  /** Whether a network lies in between, as far as is known; else an app in this process is called. */
  readonly remote: boolean;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly url: URL;
  readonly secret: string;
  readonly scheme: SignatureScheme;
  readonly headers: Headers;
  /** Aborts when there is no more time, with a reason of the name `TimeoutError`, or when the user says so. */
  readonly signal: AbortSignal;
}

/** The mount behind a URL or a function. */
export function mountAt({ remote, fetch, url, secret, scheme, headers, signal }: Access): Mount {
  const encoder = new TextEncoder();
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  ended.catch(() => {});
  const counted = { probes: 0, shiftMs: 0, lastError: undefined as unknown };

  async function attempt(request: Request): Promise<Answer> {
    const sentAt = performance.now();
    // Called inside a promise, so that a throw and a rejection are one.
    const response = await Promise.race([Promise.resolve(request).then(fetch), ended]);
    return readAnswer(response, performance.now() - sentAt, ended, secret);
  }

  function requestOf({ method = "POST", path, headers: own = {}, body = "" }: Probe): Request {
    const all = new Headers(headers);
    if (method === "POST") all.set("content-type", "application/json");
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    all.set(PROBE_HEADER, "1");
    const target = new URL(url);
    target.pathname = path ?? url.pathname;
    const content = method === "POST" ? { body } : {};
    // A redirect is not followed: it could lead a signature to another host.
    return new Request(target, { method, headers: all, redirect: "manual", signal, ...content });
  }

  return Object.assign(counted, {
    where: url.origin + url.pathname,
    path: url.pathname,
    scheme,

    sign(body: string, { scheme: by = scheme, shiftMs = counted.shiftMs }: Signing = {}) {
      return by.sign({ secret, body: encoder.encode(body), nowMs: Date.now() + shiftMs });
    },

    async signed(this: Mount, body: string, how: Signing = {}) {
      let signature: Record<string, string>;
      try {
        signature = this.sign(body, how);
      } catch {
        // Not every scheme can use every secret.
        return unanswered("unsignable");
      }
      const contentType = how.contentType === undefined ? {} : { "content-type": how.contentType };
      return this.send({ body, headers: { ...signature, ...contentType }, ...(how.path ? { path: how.path } : {}) });
    },

    async send(probe: Probe) {
      if (signal.aborted) return unanswered(endOf(signal));
      counted.probes += 1;
      try {
        const answer = await attempt(requestOf(probe));
        return signal.aborted && !answer.ping ? unanswered(endOf(signal)) : answer;
      } catch (error) {
        counted.lastError = error;
        return signal.aborted ? unanswered(endOf(signal)) : unanswered(...failureOf(error, remote, secret));
      }
    },
  });
}

function endOf(signal: AbortSignal): Failure {
  return (signal.reason as Error | undefined)?.name === "TimeoutError" ? "timed_out" : "aborted";
}

/** What is known of a failed connection, or of an app that threw in this process. */
function failureOf(error: unknown, remote: boolean, secret: string): [Failure, string] {
  const { message, cause } = Object(error) as { message?: unknown; cause?: { code?: unknown; message?: unknown } };
  const code = cause?.code ?? (Object(error) as { code?: unknown }).code;
  const text = [code, cause?.message ?? message].filter((part) => typeof part === "string").join(" ");
  const detail = safe(typeof code === "string" ? code : text, secret);
  if (!remote && message !== "fetch failed") return ["threw", detail];
  if (/TLS|SSL|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/i.test(text)) return ["tls_failed", detail];
  return [/HPE_|HEADERS_OVERFLOW|invalid HTTP/i.test(text) ? "no_http" : "no_connection", detail];
}
