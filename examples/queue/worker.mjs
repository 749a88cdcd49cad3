// Works on what app.mjs has put into the queue. Start as many as you like; stop them as you like. A job whose worker died is
// taken over by another one, or by this one when it is started again.
//   REDIS_URL=redis://... npm run worker
import { setTimeout as pause } from "node:timers/promises";
import { parseEvent } from "bluum-webhooks";
import { Worker } from "bullmq";
import { Redis } from "ioredis";

const name = process.env.QUEUE ?? "bluum-events";
/** After how long a worker that gives no sign of life has lost its job. */
const lockMs = Number(process.env.LOCK_MS ?? 30_000);
/** How long the work takes that this example only pretends to do. */
const workMs = Number(process.env.WORK_MS ?? 1_000);

// A worker waits for Redis as long as it takes.
const redis = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });
redis.on("error", (error) => console.error(`redis: ${error.message || error.code}`));

const worker = new Worker(name, work, {
  connection: redis,
  concurrency: 5,
  lockDuration: lockMs,
  stalledInterval: lockMs,
  maxStalledCount: 10, // a job that outlives more workers than that is kept aside as failed, in case it is what kills them
});
worker.on("error", () => {}); // of its connection, told above
worker.on("failed", (job, error) => console.error(`${job?.id} failed: ${error.message}`));
worker.on("ready", () => console.log("waiting for jobs"));

async function work(job) {
  const event = parseEvent(job.data.payload, { id: job.data.id }); // typed again; it verifies nothing, the receiver has
  switch (event.type) {
    case "order.filled":
      return book(job.id, event.data);
    default:
      console.log(`nothing to do for ${event.type}`);
  }
}

/**
 * A job may run again: a worker may die after the work and before the queue heard of it. So the entry is made under the event's
 * own key, and to make it a second time changes nothing.
 */
async function book(key, order) {
  console.log(`working on ${order.id}`);
  await pause(workMs);
  const entry = JSON.stringify({ order: order.id, price: order.average_price });
  const isNew = await redis.hsetnx(`${name}:booked`, key, entry);
  console.log(isNew ? `booked ${order.id} at ${order.average_price}` : `${order.id} was booked before`);
}

process.once("SIGTERM", async () => {
  await worker.close(); // takes no new job, and finishes those that it has
  redis.disconnect();
  console.log("closed");
});
