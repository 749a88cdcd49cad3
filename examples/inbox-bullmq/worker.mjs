// Runs the handlers. Start as many as you like; the events of one that dies are taken over.
//   BLUUM_WEBHOOK_SECRET=... REDIS_URL=redis://... npm run worker
import { receiver, redis } from "./receiver.mjs";

receiver.on("order.filled", async (event, { eventKey, attempt }) => {
  // Under the event's own key, so that a second time after a crash changes nothing.
  const isNew = await redis.hsetnx("booked", eventKey, event.data.average_price);
  console.log(`attempt ${attempt.number}: ${event.data.id} ${isNew ? "booked" : "was booked before"}`);
});

receiver.work({ concurrency: 10 });
console.log("waiting for events");

process.once("SIGTERM", async () => {
  await receiver.close(); // takes no new event, and waits for handlers at work
  redis.disconnect();
  console.log("closed");
});
