// Runs the handlers. Start as many as you like; the events of one that dies are taken over, after about twice LOCK_MS.
//   npm run worker
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { inbox, name, receiver, url } from "./receiver.mjs";

const redis = new Redis(url); // of the handlers
redis.on("error", (error) => console.error(`redis: ${error.message || error.code}`));

receiver.on("order.filled", async (event, { eventKey, attempt }) => {
  const { id, average_price } = event.data;
  console.log(`working on ${id}, attempt ${attempt.number}`);
  await sleep(Number(process.env.WORK_MS ?? 1_000)); // in place of your work
  // Under the event's own key: if the worker dies before the success is recorded, the handler runs again and changes nothing.
  const isNew = await redis.hsetnx(`${name}:booked`, eventKey, average_price);
  console.log(isNew ? `booked ${id} at ${average_price}` : `${id} was booked before`);
});

receiver.work({ concurrency: 10 });
console.log("waiting for events");

process.once("SIGTERM", async () => {
  await receiver.close(); // takes no new event, and waits for handlers at work
  await inbox.close();
  redis.disconnect();
  console.log("closed");
});
