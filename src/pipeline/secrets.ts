import { ignoreRejection, isPromise, type MaybePromise, withTimeout } from "../async.ts";
import { WebhookError } from "../errors.ts";
import { checksFor } from "../options.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

/**
 * One secret, or several while a rotation is under way. `undefined` is admitted for `process.env`, and refused at creation.
 */
export type Secrets = string | readonly string[] | undefined;

/**
 * Secrets, or a function that fetches them from a secret manager. It is called for deliveries whose headers can succeed; its answer
 * is used for 10 s, and asked for again at once where a signature does not match.
 */
export type SecretsOption = Secrets | (() => Secrets | Promise<Secrets>);

/** How long the answer of a secret function is used: 10 s. A withdrawn secret is accepted for as long. */
const SECRET_CACHE_MS = 10_000;

/** A signature that does not match asks the secret function again at most this often, so that forged deliveries cannot flood it. */
const MISMATCH_INTERVAL_MS = 1_000;

type Keys = readonly unknown[];

/** The keys that deliveries are verified with. Both methods reject with `secret_unavailable`, or answer at once. */
export interface KeySource {
  /** The keys to verify with first. */
  current(): MaybePromise<Keys>;
  /** The keys to try once more with, where those did not match; undefined where there are no others. */
  newerThan(used: Keys): MaybePromise<Keys | undefined>;
}

/**
 * Makes the source of keys. Fixed secrets are checked and prepared here, once; a function's answers pass the same checks
 * at every call, and its calls are shared: one is in flight at a time, and one that timed out is given up.
 *
 * @param now the wall clock, in milliseconds
 * @throws WebhookError `configuration_invalid` naming `secret`, for fixed secrets that cannot work
 */
export function keySource(
  secret: SecretsOption,
  scheme: SignatureScheme,
  timeoutMs: number,
  now: () => number = Date.now,
): KeySource {
  if (typeof secret !== "function") {
    const keys = prepareAll(secret, scheme);
    return { current: () => keys, newerThan: () => undefined };
  }
  const prepare = rememberingPrepare(scheme);
  return new FetchedKeys(() => fetchKeys(secret, prepare, timeoutMs), now);
}

/** The keys of a secret function's last answer. A call that fails leaves them as they are. */
class FetchedKeys implements KeySource {
  readonly #fetch: () => Promise<Keys>;
  readonly #now: () => number;
  #keys: Keys | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #mismatchAt = Number.NEGATIVE_INFINITY;
  #inFlight: Promise<Keys> | undefined;

  constructor(fetch: () => Promise<Keys>, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  current(): MaybePromise<Keys> {
    return this.#keys !== undefined && this.#isWithin(SECRET_CACHE_MS, this.#fetchedAt) ? this.#keys : this.#ask();
  }

  async newerThan(used: Keys): Promise<Keys | undefined> {
    if (this.#keys !== used) return this.#keys;
    if (this.#inFlight === undefined && this.#isWithin(MISMATCH_INTERVAL_MS, this.#mismatchAt)) return undefined;
    try {
      const keys = await this.#ask();
      return keys === used ? undefined : keys;
    } finally {
      this.#mismatchAt = this.#now();
    }
  }

  /** A clock that was set back ends the interval, too. */
  #isWithin(ms: number, since: number): boolean {
    const elapsedMs = this.#now() - since;
    return elapsedMs >= 0 && elapsedMs < ms;
  }

  #ask(): Promise<Keys> {
    this.#inFlight ??= this.#refresh().finally(() => {
      this.#inFlight = undefined;
    });
    return this.#inFlight;
  }

  async #refresh(): Promise<Keys> {
    this.#keys = await this.#fetch();
    this.#fetchedAt = this.#now();
    return this.#keys;
  }
}

async function fetchKeys(
  secret: () => Secrets | Promise<Secrets>,
  prepare: (secrets: Secrets) => Keys,
  timeoutMs: number,
): Promise<Keys> {
  try {
    // Called inside a promise, so that a throw and a rejection are one.
    return prepare(await withTimeout(Promise.resolve().then(secret), timeoutMs));
  } catch (cause) {
    throw new WebhookError("secret_unavailable", "the secret function failed or returned no usable secret", { cause });
  }
}

/** Prepares keys, and keeps those of the last answer: a secret manager mostly returns the same. */
function rememberingPrepare(scheme: SignatureScheme): (secrets: Secrets) => Keys {
  let last: readonly string[] = [];
  let keys: Keys = [];
  return (secrets) => {
    const list = listed(secrets);
    if (list.length !== last.length || list.some((item, index) => item !== last[index])) {
      keys = prepareAll(secrets, scheme);
      last = list;
    }
    return keys;
  };
}

/** Frozen: every delivery is verified with the same ones, and a scheme might use them up. */
function prepareAll(secrets: Secrets, scheme: SignatureScheme): Keys {
  const list = listed(secrets);
  list.forEach(ignoreRejection);
  const keys = list.map((secret, index) =>
    prepareOne(secret, Array.isArray(secrets) ? `secret[${index}]` : "secret", scheme),
  );
  return Object.freeze(keys);
}

function listed(secrets: Secrets): readonly string[] {
  const list = typeof secrets === "string" ? [secrets] : secrets;
  if (!Array.isArray(list) || list.length === 0) {
    ignoreRejection(secrets);
    throw invalid(
      "secret",
      "is missing; give the webhook's secret, such as process.env.BLUUM_WEBHOOK_SECRET, or a function that fetches it",
    );
  }
  // Spread, so that holes are looked at like anything else.
  return [...(list as readonly string[])];
}

function prepareOne(secret: unknown, option: string, scheme: SignatureScheme): unknown {
  if (typeof secret !== "string") throw invalid(option, "is not a string");
  if (secret.trim() === "") throw invalid(option, "is blank");
  if (secret !== secret.trim())
    throw invalid(option, "begins or ends with white space; was it read from a file with its line break?");
  const key = keyOf(secret, option, scheme);
  // A promise used as the key could be guessed: as a text it is always "[object Promise]".
  if (isPromise(key)) {
    ignoreRejection(key);
    throw invalid("scheme", "has a prepare that returns a promise; it must return the key at once");
  }
  return key;
}

function keyOf(secret: string, option: string, scheme: SignatureScheme): unknown {
  try {
    return scheme.prepare(secret);
  } catch (error) {
    if (!(error instanceof WebhookError)) throw invalid(option, `was refused by the scheme ${scheme.name}`);
    // A scheme knows no list: it begins with "secret:", and we say which.
    throw invalid(`${option}:`, error.message.replace(/^secret: /, ""));
  }
}

const { invalid } = checksFor("createReceiver");
