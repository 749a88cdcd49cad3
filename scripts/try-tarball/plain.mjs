// No framework: the node and fetch doors; and require(), which Node has learnt for ESM.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler as fetchHandler } from "bluum-webhooks/fetch";
import { bluumHandler as nodeHandler } from "bluum-webhooks/node";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";
import { drive, secret } from "./drive.mjs";

const seen = [];
const receiver = () => createReceiver({ secret, logger: false }).on("order.*", (event) => seen.push(event.type));
const [one, other] = [nodeHandler(receiver()), nodeHandler(receiver())];
const server = createServer((req, res) => (req.url === "/handlers" ? one : other)(req, res));
server.listen(0, "127.0.0.1", async () => {
  await drive(`http://127.0.0.1:${server.address().port}`, seen);
  server.close();
  server.closeAllConnections();
});

const delivery = signDelivery({ secret, event: sampleEvent("order.filled") });
const response = await fetchHandler(receiver())(new Request("http://localhost/", delivery));
assert.equal(response.status, 200);

const required = createRequire(import.meta.url)("bluum-webhooks");
assert.equal(required.createReceiver, createReceiver, "import and require give one and the same module");
