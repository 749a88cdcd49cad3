/**
 * The dedupe store in Redis or Valkey, shared by all processes.
 *
 * @example
 * import { Redis } from "ioredis";
 * import { createReceiver } from "bluum-webhooks";
 * import { redisStore } from "bluum-webhooks/stores/redis";
 *
 * const store = redisStore(new Redis("redis://localhost:6379"));
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", store });
 *
 * @module bluum-webhooks/stores/redis
 */

import { withTimeout } from "../async.ts";
import { checksFor } from "../options.ts";
import { messageOf, storeFailure } from "./backend/failure.ts";
import { countUnanswered } from "./backend/unanswered.ts";
import { type RedisClient, type Send, senderFor } from "./redis/client.ts";
import { withoutCommand } from "./redis/failure.ts";
import { CLAIM, COMPLETE, EVICTION_POLICY, RELEASE, RENEW, type Script } from "./redis/scripts.ts";
import type { ClaimResult, CompleteResult, DedupeStore } from "./store.ts";

export type { CommandClient, IoredisClient, NodeRedisCluster, NodeRedisSentinel, RedisClient } from "./redis/client.ts";
export type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** Key prefix, timeout and warnings of a Redis store. */
export interface RedisStoreOptions {
  /**
   * What its keys begin with. The client's own key prefix (`keyPrefix` of ioredis) comes before it.
   * @default "bluum:"
   */
  readonly prefix?: string;
  /**
   * How long Redis may take to answer, in milliseconds, from 1 to 10_000; time in the client's offline queue counts.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * Called once if the `maxmemory-policy` of Redis lets it drop remembered events. `false`: the policy is not checked.
   * @default console.warn
   */
  readonly warn?: ((message: string) => void) | false;
}

type Settings = Required<RedisStoreOptions>;

/**
 * A store in Redis (6.2 and later) or Valkey, shared by every process that uses the same server, prefix and namespace. Each
 * event is one key, each verb one round trip; leases and retentions expire in Redis itself, so there is nothing to clean up.
 *
 * Redis must run with `maxmemory-policy noeviction`, or it drops remembered events when it is full. Events that a fail-over or a
 * restart without persistence loses run again when a duplicate arrives: see `docs/guides/redis.md`.
 *
 * @param client a connected client of ioredis 5 or 6 or node-redis 4 to 6, standalone or cluster, or anything with
 *   `sendCommand(args)`. The store never ends it, and never listens to its events
 * @throws WebhookError `configuration_invalid` if the client or an option is not valid; the verbs reject with
 *   `store_unavailable`, with the error of Redis or of the client as its cause
 * @example
 * const redis = new Redis("redis://localhost:6379");
 * redis.on("error", (error) => log.error(error));
 * const receiver = createReceiver({ secret, namespace: "orders-api", store: redisStore(redis) });
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): DedupeStore {
  const keys = new RedisKeys(client, settingsOf(options));
  return {
    async claim(key, { token, leaseMs }) {
      const result = await keys.run("claim", CLAIM, key, [token, wholeMs(leaseMs)], claimResult);
      if (result.status === "claimed") keys.checkPolicyOnce(key);
      return result;
    },
    renew: async (key, { token, leaseMs }) => keys.run("renew", RENEW, key, [token, wholeMs(leaseMs)], isOne),
    complete: async (key, { token, retentionMs }) =>
      keys.run("complete", COMPLETE, key, [token, wholeMs(retentionMs)], completeResult),
    release: async (key, { token }) => keys.run("release", RELEASE, key, [token], isOne),
    forget: async (key) => keys.forget(key),
    unanswered: keys.unanswered,
  };
}

/** The keys under one prefix. */
class RedisKeys {
  readonly #settings: Settings;
  readonly #send: Send;
  #policyChecked: boolean;

  /** How many commands Redis has not answered yet. */
  readonly unanswered: () => number;

  constructor(client: RedisClient, settings: Settings) {
    const { call, unanswered } = countUnanswered(senderFor(client));
    this.#settings = settings;
    this.#send = call;
    this.#policyChecked = settings.warn === false;
    this.unanswered = unanswered;
  }

  /** Runs the script of a verb and reads its reply. */
  run<Answer>(verb: string, script: Script, key: string, args: string[], read: (reply: unknown) => Answer) {
    return this.#inTime(verb, this.#evaluate(script, key, args).then(read));
  }

  forget(key: string): Promise<boolean> {
    const name = this.#settings.prefix + key;
    return this.#inTime("forget", this.#send(name, ["DEL", name]).then(isOne));
  }

  /** Runs in the background. INFO may be forbidden or fail; then there is no warning. */
  checkPolicyOnce(key: string): void {
    if (this.#policyChecked) return;
    this.#policyChecked = true;
    this.#evaluate(EVICTION_POLICY, key, [])
      .then((policy) => warnOfEviction(policy, this.#settings.warn))
      .catch(() => {});
  }

  /**
   * Runs a script by its hash, or by its text if Redis does not know it: the first time, and after a restart, a fail-over or
   * SCRIPT FLUSH.
   */
  async #evaluate({ lua, sha }: Script, key: string, args: string[]): Promise<unknown> {
    const name = this.#settings.prefix + key;
    try {
      return await this.#send(name, ["EVALSHA", sha, "1", name, ...args]);
    } catch (error) {
      if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
      return this.#send(name, ["EVAL", lua, "1", name, ...args]);
    }
  }

  /** Clients queue commands while they are not connected, some without a limit. */
  async #inTime<Answer>(verb: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await withTimeout(answer, this.#settings.timeoutMs);
    } catch (error) {
      throw storeFailure("Redis", `${verb} the event`, error, withoutCommand(error));
    }
  }
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

/** Clients may be configured to return integers as strings or bigints. `null` must not count as zero. */
function integerOf(reply: unknown): number {
  if (["number", "bigint", "string"].includes(typeof reply) && /^-?\d+$/.test(String(reply))) return Number(reply);
  throw new Error("the reply is not an integer: is the client in a transaction or a subscriber?");
}

/** Redis accepts whole milliseconds only. */
function wholeMs(ms: number): string {
  return String(Math.ceil(ms));
}

function warnOfEviction(policy: unknown, warn: Settings["warn"]): void {
  if (!policy || String(policy) === "noeviction" || warn === false) return;
  warn(
    `bluum-webhooks: this Redis has maxmemory-policy ${policy}. When its memory is full it drops remembered events, and ` +
      "their duplicates run again. Set it to noeviction, or give redisStore the option warn: false.",
  );
}

function settingsOf(options: RedisStoreOptions): Settings {
  const checks = checksFor("redisStore");
  checks.names(options, ["prefix", "timeoutMs", "warn"]);
  // biome-ignore lint/suspicious/noConsole: silence would hide that events may be forgotten; the option replaces it
  const { prefix = "bluum:", timeoutMs = 2_000, warn = (message) => console.warn(message) } = options;
  if (typeof prefix !== "string") throw checks.invalid("prefix", "must be a string");
  checks.integer("timeoutMs", timeoutMs, 1, 10_000);
  if (warn !== false && typeof warn !== "function") throw checks.invalid("warn", "must be a function, or false");
  return { prefix, timeoutMs, warn };
}
