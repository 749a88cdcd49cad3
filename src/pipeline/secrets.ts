import { ignoreRejection, isPending, within } from "../async.ts";
import { WebhookError } from "../errors.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

/**
 * One secret, or several while a rotation is under way. `undefined` is admitted for `process.env`, and refused at creation.
 */
export type Secrets = string | readonly string[] | undefined;

/** Secrets, or a function that fetches them from a secret manager, called at each delivery whose headers can succeed. */
export type SecretsOption = Secrets | (() => Secrets | Promise<Secrets>);

/** The verification keys, or what fetches them for one delivery and rejects with `secret_unavailable`. */
export type KeySource = readonly unknown[] | (() => Promise<readonly unknown[]>);

/**
 * Makes the source of keys. Fixed secrets are checked and prepared here, once; a function's answers pass the same checks
 * at every call, and its calls are shared: one is in flight at a time, and one that timed out is given up.
 *
 * @throws WebhookError `configuration_invalid` naming `secret`, for fixed secrets that cannot work
 */
export function keySource(secret: SecretsOption, scheme: SignatureScheme, timeoutMs: number): KeySource {
  if (typeof secret !== "function") return prepareAll(secret, scheme);
  const prepare = rememberingPrepare(scheme);
  let inFlight: Promise<readonly unknown[]> | undefined;
  return () => {
    inFlight ??= fetchKeys(secret, prepare, timeoutMs).finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  };
}

async function fetchKeys(
  secret: () => Secrets | Promise<Secrets>,
  prepare: (secrets: Secrets) => readonly unknown[],
  timeoutMs: number,
): Promise<readonly unknown[]> {
  try {
    // Called inside a promise, so that a throw and a rejection are one.
    return prepare(await within(Promise.resolve().then(secret), timeoutMs));
  } catch (cause) {
    throw new WebhookError("secret_unavailable", "the secret function failed or returned no usable secret", { cause });
  }
}

/** Prepares keys, and keeps those of the last answer: a secret manager mostly says the same again. */
function rememberingPrepare(scheme: SignatureScheme): (secrets: Secrets) => readonly unknown[] {
  let last: readonly string[] = [];
  let keys: readonly unknown[] = [];
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
function prepareAll(secrets: Secrets, scheme: SignatureScheme): readonly unknown[] {
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
  // Taken for the key, a promise would be one that anybody can guess: written as a text it is always the same.
  if (isPending(key)) {
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
    throw new WebhookError("configuration_invalid", `${option}: ${error.message.replace(/^secret: /, "")}`);
  }
}

function invalid(option: string, problem: string): WebhookError {
  return new WebhookError("configuration_invalid", `${option} ${problem}`);
}
