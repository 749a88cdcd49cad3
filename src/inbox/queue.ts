/**
 * An inbox on any other durable queue: SQS, JetStream, RabbitMQ, Kafka, Cloudflare Queues.
 *
 * @example
 * import { createReceiver, type InboxMessage } from "bluum-webhooks";
 * import { queueInbox } from "bluum-webhooks/inbox/queue";
 * import { redisStore } from "bluum-webhooks/stores/redis";
 *
 * const inbox = queueInbox({ store: redisStore(redis), add: (message) => queue.add(message.key, message) });
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", inbox });
 * receiver.on("order.filled", async (event) => console.log(event.data.id));
 * queue.process((job: { data: InboxMessage }) => receiver.process(job.data));
 *
 * @module bluum-webhooks/inbox/queue
 */

import { WebhookError } from "../errors.ts";
import { checksFor } from "../options.ts";
import type { DedupeStore } from "../stores/store.ts";
import { addOnce } from "./add-once.ts";
import type { Inbox } from "./inbox.ts";
import type { InboxMessage } from "./message.ts";

/** What a queue's own tools do. An inbox on a queue has them only if you pass them. */
type Tools = Pick<Inbox, "work" | "stats" | "parked" | "redrive" | "discard">;

/** How events get into a queue. */
export interface QueueInboxOptions extends Partial<Tools> {
  /** Remembers which events were stored, and which handlers have succeeded. All processes must share it. */
  readonly store: DedupeStore;
  /**
   * Puts a message, as JSON, into the queue. It must resolve only once the queue has stored it durably, and reject if it may not have:
   * the provider is answered 2xx as soon as it resolves. The same message may come twice.
   */
  readonly add: (message: InboxMessage) => unknown;
  /**
   * The queue's name for logs and metrics.
   * @default "queue"
   */
  readonly name?: string;
  /** Why the queue cannot keep the order of messages with the same `orderingKey`. Then the receiver refuses `orderBy`. */
  readonly noOrder?: string;
}

const checks = checksFor("queueInbox");
const TOOLS = ["work", "stats", "parked", "redrive", "discard"] as const;

/**
 * An inbox on a queue of your own: RabbitMQ, JetStream, SQS, Kafka, ... Your worker takes the messages from it and calls
 * `receiver.process(message, { attempt })`. Retries, parking and order are the queue's, and so are its tools: `receiver.work()`,
 * `stats`, `parked`, `redrive` and `discard` fail with `configuration_invalid` unless you pass functions for them.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 * @example
 * const inbox = queueInbox({
 *   store: redisStore(redis),
 *   add: (message) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) })),
 * });
 * const receiver = createReceiver({ secret, namespace: "orders-api", inbox });
 */
export function queueInbox(options: QueueInboxOptions): Inbox {
  checks.names(options, ["store", "add", "name", "noOrder", ...TOOLS]);
  const { add, name = "queue", noOrder } = options;
  const store = checks.methods("store", options.store, ["claim", "renew", "complete", "release"]);
  if (typeof add !== "function") throw checks.invalid("add", "must be a function");
  for (const text of ["name", "noOrder"] as const) {
    const value = options[text];
    if (value !== undefined && (typeof value !== "string" || value === ""))
      throw checks.invalid(text, "must be a text that is not empty");
  }
  for (const tool of TOOLS) checks.callable(tool, options[tool]);
  return {
    name,
    store,
    ...(noOrder !== undefined && { noOrder }),
    add: (message, { retentionMs }) => addOnce(store, message.key, retentionMs, async () => add(message)),
    work(process, by) {
      if (options.work !== undefined) return options.work(process, by);
      throw missing("work", "let a worker of your own call receiver.process(message)");
    },
    stats: async () => tool(options, "stats")(),
    parked: async (query) => tool(options, "parked")(query),
    redrive: async (selection) => tool(options, "redrive")(selection),
    discard: async (selection) => tool(options, "discard")(selection),
  };
}

function tool<Name extends keyof Tools>(options: QueueInboxOptions, name: Name): Tools[Name] {
  const found = options[name] as Tools[Name] | undefined;
  if (found === undefined) throw missing(name, "use the queue's own tools");
  return found;
}

function missing(name: keyof Tools, remedy: string): WebhookError {
  return new WebhookError("configuration_invalid", `queueInbox: the option ${name} is missing; pass it, or ${remedy}`);
}
