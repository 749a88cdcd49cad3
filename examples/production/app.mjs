// Answers 2xx once PostgreSQL has the event. Runs the handlers, too, unless WORKER_IN_APP is false.
import "./telemetry.mjs";
import { bluumHandler } from "bluum-webhooks/express";
import express from "express";
import { boss } from "./database.mjs";
import { log } from "./log.mjs";
import { receiver } from "./receiver.mjs";
import { closeOnSignal, isReady } from "./shutdown.mjs";

const { PORT = 3000, WORKER_IN_APP = "true", CONCURRENCY = 10 } = process.env;

await boss.start();

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver)); // before express.json(): it needs the bytes as they came
app.get("/health", (_req, res) => res.sendStatus(200)); // the process answers: a restart would mend nothing else
app.get("/ready", async (_req, res) => res.sendStatus((await isReady()) ? 200 : 503));

const server = app.listen(PORT, (error) => {
  if (error) throw error;
  log.info(`listening on ${server.address().port}`);
});
if (WORKER_IN_APP === "true") receiver.work({ concurrency: Number(CONCURRENCY) });
closeOnSignal(server);
