import { serve } from "@hono/node-server";
import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/hono";
import { Hono } from "hono";
import { drive, secret } from "./drive.mjs";

const seen = [];
const receiver = createReceiver({ secret, logger: false }).on("order.*", (event) => seen.push(event.type));
const app = new Hono();
app.post("/handlers", bluumHandler(receiver));
app.post("/middleware", bluumWebhooks({ secret, logger: false }), (c) => {
  seen.push(bluumEvent(c).type);
  return c.body(null, 204);
});

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, async ({ port }) => {
  await drive(`http://127.0.0.1:${port}`, seen);
  server.close();
  server.closeAllConnections();
});
