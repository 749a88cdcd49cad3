import { WebhookError } from "../../errors.ts";

/** What `redisStore` asks of ioredis, standalone or cluster. */
export interface IoredisClient {
  /** Sends any command; `Redis` and `Cluster` of ioredis both have it. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** What `redisStore` asks of node-redis: a client, a pool, or anything of your own that can send a command. */
export interface CommandClient {
  /** Sends a command, its name first, and gives the reply or rejects with the error of Redis. */
  sendCommand(args: string[]): Promise<unknown>;
}

/** What `redisStore` asks of a cluster of node-redis. */
export interface NodeRedisCluster {
  /** Tells a cluster apart, at run time too. */
  readonly nodeClient: unknown;
  /** Sends a command to the node that has the key. */
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** What `redisStore` asks of a sentinel client of node-redis. */
export interface NodeRedisSentinel {
  /** Tells a sentinel client apart, at run time too. */
  readonly getMasterNode: unknown;
  /** Sends a command to the primary. */
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** Every kind of client that `redisStore` takes. None of their packages is imported. */
export type RedisClient = IoredisClient | CommandClient | NodeRedisCluster | NodeRedisSentinel;

/** Sends a command that concerns one key, to whichever node has it. */
export type Send = (key: string, command: [name: string, ...args: string[]]) => Promise<unknown>;

/**
 * One way to send a command, whatever the client; it never throws, only rejects. `call` is looked for first, since ioredis has a `sendCommand` too, which
 * means something else.
 *
 * @throws WebhookError `configuration_invalid` where the client has neither method
 */
export function senderFor(client: RedisClient): Send {
  const sendOnce = commandOf(client);
  return (key, command) => {
    try {
      return Promise.resolve(sendOnce(key, command));
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function commandOf(client: RedisClient): Send {
  if (has(client, "call")) return (_key, [name, ...args]) => client.call(name, ...args);
  if (!has(client, "sendCommand")) throw notAClient();
  if ("nodeClient" in client) return (key, command) => client.sendCommand(key, false, command);
  if ("getMasterNode" in client) return (_key, command) => client.sendCommand(false, command);
  return (_key, command) => client.sendCommand(command);
}

function has<Method extends string>(
  client: RedisClient,
  method: Method,
): client is Extract<RedisClient, Record<Method, unknown>> {
  return typeof (client as unknown as Record<string, unknown> | null | undefined)?.[method] === "function";
}

function notAClient(): WebhookError {
  const message = "redisStore: client must be one of ioredis or node-redis, or have a method sendCommand(args)";
  return new WebhookError("configuration_invalid", message);
}
