import process from "node:process";
import { checksFor } from "../options.ts";
import { checkAddress } from "./address.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import { BluumApiError } from "./errors.ts";

/** How to reach Bluum's management API; see `createBluumClient`. */
export interface BluumClientOptions {
  /**
   * The key of the API. Webhooks are managed with a tenant-wide key; one that is scoped to an investor is refused with 403.
   * @default the environment's `BLUUM_API_KEY`
   */
  readonly apiKey?: string | undefined;
  /**
   * The key's secret.
   * @default the environment's `BLUUM_API_SECRET`
   */
  readonly apiSecret?: string | undefined;
  /**
   * Where the API is: `"sandbox"`, `"production"`, or a URL with its path (`https://…/v1`). `https:` is required unless it
   * is on this machine.
   * @default the environment's `BLUUM_BASE_URL`; there is no default beyond it, so that nobody meets production by accident
   */
  readonly baseUrl?: "sandbox" | "production" | (string & {}) | URL | undefined;
  /**
   * How long one attempt may take until its whole answer is there, in milliseconds, from 1 to 120,000.
   * @default 10_000
   */
  readonly timeoutMs?: number;
  /**
   * How often a call is tried again after the first attempt, from 0 to 10.
   * @default 3
   */
  readonly retries?: number;
  /**
   * The longest `Retry-After` that is waited for, in milliseconds, from 0 to 600,000. Where Bluum asks for more, the call fails
   * at once and the error's `retryAfterMs` says how long to wait.
   * @default 60_000
   */
  readonly maxRetryAfterMs?: number;
  /**
   * Sends the requests, for a proxy or a test. Give `request.signal` and `request.redirect` heed.
   * @default the global fetch
   */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * Where the three variables are looked up.
   * @default process.env
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The wall clock in epoch milliseconds, for tests: what a `Retry-After` date is compared with. */
  readonly now?: () => number;
  /** Waits before a retry, for tests. Must end early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number from 0 up to 1 for the jitter, for tests. */
  readonly random?: () => number;
}

/** Options, checked and complete. */
export interface Settings extends Credentials {
  readonly baseUrl: URL;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly maxRetryAfterMs: number;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly random: () => number;
}

const OWNER = "createBluumClient";
const { names, callable, integer, invalid } = checksFor(OWNER, BluumApiError);

const BASE_URLS: Readonly<Record<string, string>> = {
  sandbox: "https://sandbox.api.bluumfinance.com/v1",
  production: "https://api.bluumfinance.com/v1",
};

const KNOWN: Readonly<Record<keyof BluumClientOptions, true>> = {
  apiKey: true,
  apiSecret: true,
  baseUrl: true,
  timeoutMs: true,
  retries: true,
  maxRetryAfterMs: true,
  fetch: true,
  env: true,
  now: true,
  sleep: true,
  random: true,
};

/** Checks the options and fills in the defaults. */
export function settingsOf(options: BluumClientOptions): Settings {
  names(options, Object.keys(KNOWN));
  const { env = process.env } = options;
  return {
    ...credentialsOf(OWNER, options.apiKey ?? env.BLUUM_API_KEY, options.apiSecret ?? env.BLUUM_API_SECRET),
    baseUrl: baseUrlOf(options.baseUrl ?? env.BLUUM_BASE_URL),
    timeoutMs: integer("timeoutMs", options.timeoutMs ?? 10_000, 1, 120_000),
    retries: integer("retries", options.retries ?? 3, 0, 10),
    maxRetryAfterMs: integer("maxRetryAfterMs", options.maxRetryAfterMs ?? 60_000, 0, 600_000),
    fetch: callable("fetch", options.fetch) ?? ((request) => globalThis.fetch(request)),
    now: callable("now", options.now) ?? Date.now,
    sleep: callable("sleep", options.sleep) ?? sleepFor,
    random: callable("random", options.random) ?? Math.random,
  };
}

function baseUrlOf(given: unknown): URL {
  if (given === undefined || given === "") {
    throw invalid("baseUrl", 'is missing; give "sandbox", "production" or a URL, or set BLUUM_BASE_URL');
  }
  const url = checkAddress(OWNER, "baseUrl", (typeof given === "string" && BASE_URLS[given]) || given);
  if (url.search !== "") throw invalid("baseUrl", "must have no query (?…)");
  return url;
}

function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
