import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/express";
import express from "express";
import { drive, secret } from "./drive.mjs";

const seen = [];
const app = express();
app.post("/middleware", bluumWebhooks({ secret, logger: false }), (req, res) => {
  seen.push(bluumEvent(req).type);
  res.sendStatus(204);
});
const receiver = createReceiver({ secret, logger: false }).on("order.*", (event) => seen.push(event.type));
app.post("/handlers", bluumHandler(receiver));

const server = app.listen(0, "127.0.0.1", async () => {
  await drive(`http://127.0.0.1:${server.address().port}`, seen);
  server.close();
  server.closeAllConnections();
});
