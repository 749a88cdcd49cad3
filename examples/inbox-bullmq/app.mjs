// Answers 2xx once Redis has the event. It runs no handler: worker.mjs does.
//   npm start
// While Redis is away the answer is 503, and Bluum sends the event again. A queue holds what Redis holds: run it with
// `appendonly yes` and `maxmemory-policy noeviction`.
import { bluumHandler } from "bluum-webhooks/express";
import express from "express";
import { inbox, receiver } from "./receiver.mjs";

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for events that are being stored
  await inbox.close(); // ends its connections to Redis
  console.log("closed");
});
