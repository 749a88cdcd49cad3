// The receiver that the app and the worker share: the same namespace, the same inbox, the same handlers.
import { createReceiver } from "bluum-webhooks";
import { openTelemetry } from "bluum-webhooks/opentelemetry";
import { bookDeposit } from "./handlers.mjs";
import { inbox, lockMs } from "./inbox.mjs";
import { log } from "./log.mjs";

export const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET?.split(","), // "old,new" during a rotation
  namespace: "orders-api",
  inbox,
  leaseMs: lockMs,
  // orderBy: (event) => event.data.account_id, // one at a time for each account; needs pg-boss 12.38
  telemetry: openTelemetry(),
  logger: log,
});

// Keep the names: under a new name a handler runs again.
receiver.on("transfer.deposit.completed", bookDeposit, { name: "book-deposit" });
