import process from "node:process";
import { checksFor } from "../options.ts";
import { checkAddress } from "./address.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import { BluumApiError } from "./errors.ts";

/** How to reach Bluum's management API; see `createBluumClient`. */
export interface BluumClientOptions {
  /**
   * The API key. It must be tenant-wide: Bluum answers a key scoped to an investor with 403.
   * @default the environment's `BLUUM_API_KEY`
   */
  readonly apiKey?: string | undefined;
  /**
   * The key's secret.
   * @default the environment's `BLUUM_API_SECRET`
   */
  readonly apiSecret?: string | undefined;
  /**
   * The address of the API: `"sandbox"`, `"production"`, or a URL with its path (`https://…/v1`). It must be `https:` unless it is on
   * this machine.
   * @default the environment's `BLUUM_BASE_URL`; without either the client is refused, so that nobody uses production by accident
   */
  readonly baseUrl?: "sandbox" | "production" | (string & {}) | URL | undefined;
  /**
   * How long one attempt may take, with its complete answer, in milliseconds, from 1 to 120,000.
   * @default 10_000
   */
  readonly timeoutMs?: number;
  /**
   * How often a call is retried after its first attempt, from 0 to 10.
   * @default 3
   */
  readonly retries?: number;
  /**
   * The longest `Retry-After` that the client waits, in milliseconds, from 0 to 600,000. If Bluum asks for more, the call fails at once
   * and the error's `retryAfterMs` says how long to wait.
   * @default 60_000
   */
  readonly maxRetryAfterMs?: number;
  /**
   * Sends the requests, for a proxy or a test. It must respect `request.signal` and `request.redirect`.
   * @default the global fetch
   */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * The environment that the three variables are read from.
   * @default process.env
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The wall clock in epoch milliseconds, for tests; a `Retry-After` date is compared with it. @default Date.now */
  readonly now?: () => number;
  /** Waits before a retry, for tests. It must end early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Returns a number from 0 to below 1 for the jitter, for tests. @default Math.random */
  readonly random?: () => number;
}

/** The options, checked and with defaults. */
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
  if (url.search !== "") throw invalid("baseUrl", "must not have a query (?…)");
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
