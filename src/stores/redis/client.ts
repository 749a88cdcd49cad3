import { checksFor } from "../../options.ts";

/** The part of ioredis that `redisStore` needs, standalone or cluster. */
export interface IoredisClient {
  /** Sends any command; `Redis` and `Cluster` of ioredis both have it. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** The part of node-redis that `redisStore` needs; anything that can send a command has it. */
export interface CommandClient {
  /** Sends a command, its name first; resolves to the reply or rejects with the error of Redis. */
  sendCommand(args: string[]): Promise<unknown>;
}

/** The part of a node-redis cluster that `redisStore` needs. */
export interface NodeRedisCluster {
  /** Only a cluster has it. */
  readonly nodeClient: unknown;
  /** Sends a command to the node that has the key. */
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** The part of a node-redis sentinel client that `redisStore` needs. */
export interface NodeRedisSentinel {
  /** Only a sentinel client has it. */
  readonly getMasterNode: unknown;
  /** Sends a command to the primary. */
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** Every kind of client that `redisStore` takes. None of their packages is imported. */
export type RedisClient = IoredisClient | CommandClient | NodeRedisCluster | NodeRedisSentinel;

/** Sends a command about one key to the node that has it. */
export type Send = (key: string, command: [name: string, ...args: string[]]) => Promise<unknown>;

/**
 * Returns a function that sends commands with any kind of client; it never throws, it rejects. `call` is looked for first: ioredis
 * has a `sendCommand` too, which takes other arguments.
 *
 * @throws WebhookError `configuration_invalid` if the client has neither method
 */
export function senderFor(client: RedisClient): Send {
  if (has(client, "call")) return async (_key, [name, ...args]) => client.call(name, ...args);
  if (!has(client, "sendCommand")) {
    throw checksFor("redisStore").invalid(
      "client",
      "must be of ioredis or node-redis, or have a method sendCommand(args)",
    );
  }
  if ("nodeClient" in client) return async (key, command) => client.sendCommand(key, false, command);
  if ("getMasterNode" in client) return async (_key, command) => client.sendCommand(false, command);
  return async (_key, command) => client.sendCommand(command);
}

function has<Method extends string>(
  client: RedisClient,
  method: Method,
): client is Extract<RedisClient, Record<Method, unknown>> {
  return typeof (client as unknown as Record<string, unknown> | null | undefined)?.[method] === "function";
}
