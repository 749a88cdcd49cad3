// A program that uses the package's own types, and no framework's.
import { createServer } from "node:http";
import {
  type BluumEvent,
  createReceiver,
  type DedupeStore,
  type Inbox,
  isKnownEvent,
  type ReceiverOptions,
  standardWebhooksSignature,
  WebhookError,
} from "bluum-webhooks";
import { bluumHandler as fetchHandler } from "bluum-webhooks/fetch";
import { type BullmqInboxOptions, bullmqInbox } from "bluum-webhooks/inbox/bullmq";
import { type InspectedInbox, inspectInbox } from "bluum-webhooks/inbox/page";
import { type PgBoss, type PgBossInboxOptions, pgBossInbox } from "bluum-webhooks/inbox/pg-boss";
import { queueInbox } from "bluum-webhooks/inbox/queue";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import { bluumHandler as nodeHandler } from "bluum-webhooks/node";
import { postgresStore } from "bluum-webhooks/stores/postgres";
import { redisStore } from "bluum-webhooks/stores/redis";
import { sqliteStore } from "bluum-webhooks/stores/sqlite";
import { dedupeStoreContract, sampleEvent, signDelivery } from "bluum-webhooks/testing";

const options: ReceiverOptions = { secret: process.env.BLUUM_WEBHOOK_SECRET, scheme: standardWebhooksSignature() };
const receiver = createReceiver(options)
  .on("order.filled", (event, context) => {
    const price: string | undefined = event.data.average_price;
    const bytes: Uint8Array = context.rawBody;
    return [price, bytes, context.signal.aborted];
  })
  .on(["transfer.*", "account.created"], (event) => event.id)
  // @ts-expect-error misspelt
  .on("order.filld", () => {});

export const POST: (request: Request) => Promise<Response> = fetchHandler(receiver);
createServer(nodeHandler(receiver));

export function describe(event: BluumEvent): string | undefined {
  if (isKnownEvent(event) && event.type === "order.filled") return event.data.average_price;
  return undefined;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof WebhookError ? error.code : undefined;
}

const secret = "a-secret-for-the-consumers";
export const body: string = signDelivery({ secret, event: sampleEvent("order.filled") }).body;
export const storesOf = (
  redis: Parameters<typeof redisStore>[0],
  pool: Parameters<typeof postgresStore>[0],
  database: Parameters<typeof sqliteStore>[0],
): DedupeStore[] => [redisStore(redis), postgresStore(pool), sqliteStore(database)];
export const inboxesOf = (
  database: Parameters<typeof sqliteInbox>[0],
  bullmq: BullmqInboxOptions,
  boss: PgBoss,
  options: PgBossInboxOptions,
  store: DedupeStore,
): Inbox[] => [
  sqliteInbox(database),
  bullmqInbox(bullmq),
  pgBossInbox(boss, options),
  queueInbox({ name: "own", store, add: async (message) => void message.key }),
];
export function pageOf(inbox: InspectedInbox): (request: Request) => Promise<Response> {
  createServer(
    inspectInbox(inbox, { authorize: ({ headers }) => headers, mask: ({ data }, { type }) => [data, type] }).node,
  );
  // @ts-expect-error nobody says who may see it
  createServer(inspectInbox(inbox, {}).node);
  return inspectInbox(inbox, { authorize: (request: Request) => request.headers.get("cookie") }).fetch;
}
export const statements: string[] = dedupeStoreContract(() => ({ store: sqliteStore({} as never) })).map(
  ({ name }) => name,
);
