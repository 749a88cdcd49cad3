import { createHash } from "node:crypto";
import { withTimeout } from "../async.ts";
import { isError, WebhookError } from "../errors.ts";
import { messageOf, storeFailure } from "./failure.ts";
import { type RedisClient, type Send, senderFor } from "./redis/client.ts";
import { CLAIM, COMPLETE, EVICTION_POLICY, RELEASE, RENEW } from "./redis/scripts.ts";
import type { ClaimResult, CompleteResult, DedupeStore } from "./store.ts";
import { countUnanswered } from "./unanswered.ts";

export type { CommandClient, IoredisClient, NodeRedisCluster, NodeRedisSentinel, RedisClient } from "./redis/client.ts";
export type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** How a Redis store names its keys, how long it waits, and where it warns. */
export interface RedisStoreOptions {
  /**
   * What its keys begin with. A key prefix of the client's own (`keyPrefix` of ioredis) comes before it.
   * @default "bluum:"
   */
  readonly prefix?: string;
  /**
   * How long Redis may take to answer, in milliseconds, from 1 to 10_000; time in the client's offline queue counts.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * Told once where the `maxmemory-policy` of Redis lets it drop remembered events. `false`: nobody looks.
   * @default console.warn
   */
  readonly warn?: ((message: string) => void) | false;
}

type Settings = Required<RedisStoreOptions>;
type Verb = "claim" | "renew" | "complete" | "release" | "forget";

/** A script, and the hash by which a Redis that has seen it knows it. */
interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * A store in Redis (6.2 and later) or Valkey, shared by every process that uses the same server, prefix and namespace. Each
 * event is one key, each verb one round trip; leases and retentions end by Redis's own expiry, so there is nothing to clean.
 *
 * Redis has to run with `maxmemory-policy noeviction`, or it drops remembered events when it is full. What a fail-over or a
 * restart without persistence forgets runs again when a duplicate of it comes: see `docs/stores-redis.md`.
 *
 * @param client a connected client of ioredis 5 or 6 or node-redis 4 to 6, standalone or cluster, or anything with
 *   `sendCommand(args)`. It stays yours: the store never ends it, and never listens to its events
 * @throws WebhookError `configuration_invalid` where the client or an option is none; the verbs reject with
 *   `store_unavailable`, the error of Redis or of the client as its cause
 * @example
 * const redis = new Redis(process.env.REDIS_URL);
 * redis.on("error", (error) => log.error(error));
 * const receiver = createReceiver({ secret, namespace: "orders-api", store: redisStore(redis) });
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): DedupeStore {
  const { prefix, timeoutMs, warn } = settingsOf(options);
  const { call: send, unanswered } = countUnanswered(senderFor(client));
  const scripts = { claim: script(CLAIM), renew: script(RENEW), complete: script(COMPLETE), release: script(RELEASE) };
  let looked = warn === false;

  function ask<Answer>(
    verb: keyof typeof scripts,
    read: (reply: unknown) => Answer,
    key: string,
    ...args: string[]
  ): Promise<Answer> {
    return evaluate(send, scripts[verb], prefix + key, args, read);
  }

  /** Clients queue commands while they are not connected, some for ever. */
  function inTime<Answer>(verb: Verb, answer: Promise<Answer>): Promise<Answer> {
    return withTimeout(answer, timeoutMs).catch((error: unknown) => {
      throw storeFailure("Redis", `${verb} the event`, error, bare(error));
    });
  }

  /** Never in the way of a delivery: INFO may be forbidden or fail, and then nothing is said. */
  function lookOnce(key: string): void {
    if (looked) return;
    looked = true;
    evaluate(send, script(EVICTION_POLICY), prefix + key, [], (policy) => warnOfEviction(policy, warn)).catch(() => {});
  }

  return {
    async claim(key, { token, leaseMs }) {
      const result = await inTime("claim", ask("claim", claimResult, key, token, milliseconds(leaseMs)));
      if (result.status === "claimed") lookOnce(key);
      return result;
    },

    renew(key, { token, leaseMs }) {
      return inTime("renew", ask("renew", isOne, key, token, milliseconds(leaseMs)));
    },

    complete(key, { token, retentionMs }) {
      return inTime("complete", ask("complete", completeResult, key, token, milliseconds(retentionMs)));
    },

    release(key, { token }) {
      return inTime("release", ask("release", isOne, key, token));
    },

    forget(key) {
      return inTime("forget", send(prefix + key, ["DEL", prefix + key]).then(isOne));
    },

    unanswered,
  };
}

function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/**
 * Runs a script by its hash, and by its text where Redis does not know it: at first, and after a restart, a fail-over or a
 * SCRIPT FLUSH. Nothing is loaded beforehand, so there is no state here that a failure could spoil.
 */
function evaluate<Answer>(
  send: Send,
  { lua, sha }: Script,
  key: string,
  args: readonly string[],
  read: (reply: unknown) => Answer,
): Promise<Answer> {
  return send(key, ["EVALSHA", sha, "1", key, ...args]).then(read, (error: unknown) => {
    if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
    return send(key, ["EVAL", lua, "1", key, ...args]).then(read);
  });
}

function claimResult(reply: unknown): ClaimResult {
  const found = integerOf(reply);
  if (found > 0) return { status: "in_flight", remainingMs: found };
  return { status: found === 0 ? "claimed" : "completed" };
}

function completeResult(reply: unknown): CompleteResult {
  const found = integerOf(reply);
  if (found === 0) return "held_by_another";
  return found === 1 ? "stored" : "completed_by_another";
}

function isOne(reply: unknown): boolean {
  return integerOf(reply) === 1;
}

/** Clients may be set to show integers as strings or bigints. All else is no answer: `null` must not pass for a zero. */
function integerOf(reply: unknown): number {
  if (["number", "bigint", "string"].includes(typeof reply) && /^-?\d+$/.test(String(reply))) return Number(reply);
  throw new Error("the reply is no integer: is the client in a transaction or a subscriber?");
}

/** Redis takes whole milliseconds only. */
function milliseconds(term: number): string {
  return String(Math.ceil(term));
}

function warnOfEviction(policy: unknown, warn: Settings["warn"]): void {
  if (!policy || String(policy) === "noeviction" || warn === false) return;
  warn(
    `bluum-webhooks: this Redis has maxmemory-policy ${policy}. When its memory is full it drops remembered events, and ` +
      "duplicates of those run again. Set it to noeviction, or give redisStore the option warn: false.",
  );
}

/**
 * The error without what clients hang on it: ioredis adds the command that failed with its arguments, which is the AUTH with
 * the password where that was refused, and errors get logged whole.
 */
function bare(thrown: unknown): unknown {
  if (!isError(thrown)) return new Error(messageOf(thrown));
  const { name, message, stack, code } = thrown as Error & { code?: unknown };
  return Object.assign(new Error(message), { name, stack }, code === undefined ? {} : { code });
}

function settingsOf(options: RedisStoreOptions): Settings {
  const unknown = Object.keys(options).find((name) => !["prefix", "timeoutMs", "warn"].includes(name));
  if (unknown !== undefined) throw invalid(unknown, "is no option; there are prefix, timeoutMs and warn");
  // biome-ignore lint/suspicious/noConsole: silence would hide that events may be forgotten; the option replaces it
  const { prefix = "bluum:", timeoutMs = 2_000, warn = (message) => console.warn(message) } = options;
  if (typeof prefix !== "string") throw invalid("prefix", "must be a string");
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 10_000) {
    throw invalid("timeoutMs", "must be a whole number from 1 to 10000");
  }
  if (warn !== false && typeof warn !== "function") throw invalid("warn", "must be a function, or false");
  return { prefix, timeoutMs, warn };
}

function invalid(option: string, problem: string): WebhookError {
  return new WebhookError("configuration_invalid", `redisStore: ${option} ${problem}`);
}
