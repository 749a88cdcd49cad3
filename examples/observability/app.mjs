// An app with an inbox in a SQLite file and metrics for Prometheus. start.mjs runs it, and breaks its handler on purpose. Alone:
//   npm run app
import { EventEmitter, once } from "node:events";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import { openTelemetry } from "bluum-webhooks/opentelemetry";
import express from "express";
import Database from "libsql";

const prometheus = new PrometheusExporter({ preventServerStart: true });
const database = new Database(process.env.WEBHOOKS_DB ?? "webhooks.db");
const retry = process.env.FEW_ATTEMPTS ? { attempts: 3, backoffMs: 50 } : {};

const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  namespace: "orders",
  inbox: sqliteInbox(database, { retry }),
  ...(process.connected && { logger: false }), // start.mjs says what happens
  telemetry: openTelemetry({ meterProvider: new MeterProvider({ readers: [prometheus] }) }),
});

// ---- The handler. It works, fails or hangs, as start.mjs says.

let state = "works";
const switched = new EventEmitter();
process.on("message", (wanted) => {
  state = wanted;
  switched.emit(state);
});

receiver.on("order.filled", async (event) => {
  if (state === "fails") throw new Error("the database is away");
  if (state === "hangs") await once(switched, "works");
  console.log(`${event.data.id} filled at ${event.data.average_price}`);
});

// ---- The server.

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
app.get("/metrics", (req, res) => prometheus.getMetricsRequestHandler(req, res));
const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
  receiver.work({ concurrency: 2 });
});

process.once("SIGTERM", close);
process.once("disconnect", close); // start.mjs has ended

async function close() {
  process.off("SIGTERM", close);
  process.off("disconnect", close);
  if (process.connected) process.disconnect();
  server.close();
  server.closeIdleConnections(); // Prometheus keeps one open
  await receiver.close();
  database.close();
  console.log("closed");
}
