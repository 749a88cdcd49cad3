// The hand-off: every event goes to a BullMQ queue, and Bluum is answered 2xx once the queue has stored it, not before. The
// work is done in worker.mjs, at its own pace.
//   BLUUM_WEBHOOK_SECRET=... REDIS_URL=redis://... PORT=3000 npm start
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { redisStore } from "bluum-webhooks/stores/redis";
import { Queue } from "bullmq";
import express from "express";
import { Redis } from "ioredis";

const name = process.env.QUEUE ?? "bluum-events";

// While Redis is away commands fail soon, instead of waiting: the answer is 5xx, and Bluum sends the event again.
const redis = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: 1 });
redis.on("error", (error) => console.error(`redis: ${error.message || error.code}`));

const queue = new Queue(name, {
  connection: redis,
  defaultJobOptions: {
    attempts: 10,
    backoff: { type: "exponential", delay: 1_000 },
    // A job that is done goes on refusing its id for as long as Bluum may send the event again.
    removeOnComplete: { age: 24 * 3600 },
  },
});
queue.on("error", () => {}); // of its connection, told above

const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  store: redisStore(redis),
  namespace: name,
  maxProcessingMs: 30_000, // to store a job takes no longer, and nobody waits for the answer any more
});

receiver.on("*", async (event, context) => {
  // The same in every delivery of one event, so that the queue takes it once, even where this process dies before the event
  // is remembered.
  const jobId = context.eventKey;
  await queue.add(event.type, { id: event.id, payload: event.payload }, { jobId });
});

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for handlers that are at work
  await queue.close();
  redis.disconnect();
  console.log("closed");
});
