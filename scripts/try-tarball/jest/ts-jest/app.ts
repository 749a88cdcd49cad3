import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import express, { type Express } from "express";

interface Parts {
  readonly secret: string;
  readonly book: (orderId: string) => void;
}

export function makeApp({ secret, book }: Parts): Express {
  const receiver = createReceiver({ secret }).on("order.filled", (event) => book(event.data.id));
  const app = express();
  app.post("/webhooks/bluum", bluumHandler(receiver));
  return app;
}
