import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import express from "express";

export function makeApp({ secret, book }) {
  const receiver = createReceiver({ secret }).on("order.filled", (event) => book(event.data.id));
  const app = express();
  app.post("/webhooks/bluum", bluumHandler(receiver));
  return app;
}
