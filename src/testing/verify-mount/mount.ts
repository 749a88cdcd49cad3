import { ignoreRejection } from "../../async.ts";
import { PROBE_HEADER } from "../../delivery.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { type Answer, type Failure, readAnswer, safe, unanswered } from "./answer.ts";

/** How a probe is signed and sent, if not as the provider would. */
interface Signing {
  /** @default the scheme of the mount */
  readonly scheme?: SignatureScheme;
  /** @default application/json */
  readonly contentType?: string;
  /** @default the path of the mount */
  readonly path?: string;
  /** The time of signing minus this machine's clock, in milliseconds. @default `shiftMs` of the mount */
  readonly shiftMs?: number;
}

/** One request. */
interface Probe {
  /** @default POST */
  readonly method?: "POST" | "GET";
  /** @default the path of the mount */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How to reach a mount. */
export interface Access {
  /** Whether requests go over a network; otherwise an app in this process is called. */
  readonly remote: boolean;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly url: URL;
  readonly secret: string;
  readonly scheme: SignatureScheme;
  /** Headers for every request. */
  readonly headers: Headers;
  /** Aborts with a reason named `TimeoutError` when the time is up, with another when the user's signal aborts. */
  readonly signal: AbortSignal;
}

/** A mount that is being checked: sends probes to it. `send` and `signed` never reject. */
export class Mount {
  /** Scheme, host and path; the query may be confidential. */
  readonly where: string;
  readonly path: string;
  readonly scheme: SignatureScheme;
  /** The receiver's clock minus this machine's, in milliseconds, once it was found; signatures are made with it. */
  shiftMs = 0;
  /** How many requests were sent. */
  probes = 0;
  /** The error of the last request that got no answer. */
  lastError: unknown;
  readonly #access: Access;
  /** Rejects when the signal aborts. */
  readonly #ended: Promise<never>;

  constructor(access: Access) {
    const { url, scheme, signal } = access;
    this.where = url.origin + url.pathname;
    this.path = url.pathname;
    this.scheme = scheme;
    this.#access = access;
    this.#ended = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    ignoreRejection(this.#ended);
  }

  /** The signature headers for a body. */
  sign(body: string, { scheme = this.scheme, shiftMs = this.shiftMs }: Signing = {}): Record<string, string> {
    const nowMs = Date.now() + shiftMs;
    return scheme.sign({ secret: this.#access.secret, body: new TextEncoder().encode(body), nowMs });
  }

  /** Sends a signed body. */
  async signed(body: string, how: Signing = {}): Promise<Answer> {
    let signature: Record<string, string>;
    try {
      signature = this.sign(body, how);
    } catch {
      // Not every scheme can use every secret.
      return unanswered("unsignable");
    }
    const contentType = how.contentType === undefined ? {} : { "content-type": how.contentType };
    return this.send({ body, headers: { ...signature, ...contentType }, ...(how.path ? { path: how.path } : {}) });
  }

  /** Sends one request. */
  async send(probe: Probe): Promise<Answer> {
    const { signal, remote, secret } = this.#access;
    if (signal.aborted) return unanswered(endOf(signal));
    this.probes += 1;
    try {
      const answer = await this.#attempt(this.#requestOf(probe));
      return signal.aborted && !answer.ping ? unanswered(endOf(signal)) : answer;
    } catch (error) {
      this.lastError = error;
      return signal.aborted ? unanswered(endOf(signal)) : unanswered(...failureOf(error, remote, secret));
    }
  }

  async #attempt(request: Request): Promise<Answer> {
    const { fetch, secret } = this.#access;
    const sentAt = performance.now();
    // An app may throw synchronously: `then` makes that a rejection.
    const response = await Promise.race([Promise.resolve(request).then(fetch), this.#ended]);
    return readAnswer(response, performance.now() - sentAt, this.#ended, secret);
  }

  #requestOf({ method = "POST", path, headers: own = {}, body = "" }: Probe): Request {
    const { url, headers, signal } = this.#access;
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
}

function endOf(signal: AbortSignal): Failure {
  return (signal.reason as Error | undefined)?.name === "TimeoutError" ? "timed_out" : "aborted";
}

/** Why a connection failed, or an app in this process threw; with a detail that is safe to print. */
function failureOf(error: unknown, remote: boolean, secret: string): [Failure, string] {
  const { message, cause } = Object(error) as { message?: unknown; cause?: { code?: unknown; message?: unknown } };
  const code = cause?.code ?? (Object(error) as { code?: unknown }).code;
  const text = [code, cause?.message ?? message].filter((part) => typeof part === "string").join(" ");
  const detail = safe(typeof code === "string" ? code : text, secret);
  if (!remote && message !== "fetch failed") return ["threw", detail];
  if (/TLS|SSL|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/i.test(text)) return ["tls_failed", detail];
  return [/HPE_|HEADERS_OVERFLOW|invalid HTTP/i.test(text) ? "no_http" : "no_connection", detail];
}
