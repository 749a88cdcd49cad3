// The receiver that the app and the worker share: the same namespace and the same queue.
import { createReceiver } from "bluum-webhooks";
import { bullmqInbox } from "bluum-webhooks/inbox/bullmq";
import { Queue, Worker } from "bullmq";

export const name = process.env.QUEUE ?? "orders";
export const url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const lockMs = Number(process.env.LOCK_MS ?? 30_000); // the event of a worker that died is taken again after twice that

export const inbox = bullmqInbox({ Queue, Worker, connection: { url }, name, lockMs });
export const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  namespace: name,
  inbox,
  leaseMs: lockMs,
});
