// The inbox: a queue of pg-boss, with the dedupe store in the same database.
import { pgBossInbox } from "bluum-webhooks/inbox/pg-boss";
import { boss, inboxPool } from "./database.mjs";
import { log } from "./log.mjs";

const { RETRY_ATTEMPTS = 20, RETRY_BACKOFF_MS = 5_000, LOCK_MS = 30_000 } = process.env;

export const lockMs = Number(LOCK_MS);

export const inbox = pgBossInbox(boss, {
  pool: inboxPool,
  queue: "orders-api",
  retry: { attempts: Number(RETRY_ATTEMPTS), backoffMs: Number(RETRY_BACKOFF_MS) },
  lockMs,
  store: { purgeEveryMs: 3_600_000, warn: (line) => log.warn(line) },
});
