// The receiver that the app and the worker share: the same namespace and the same queue.
import { createReceiver } from "bluum-webhooks";
import { bullmqInbox } from "bluum-webhooks/inbox/bullmq";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

const name = process.env.QUEUE ?? "orders";
export const redis = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });
redis.on("error", (error) => console.error(`redis: ${error.message || error.code}`));

export const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  namespace: name,
  inbox: bullmqInbox({ Queue, Worker, connection: redis, name }),
});
