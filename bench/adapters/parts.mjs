// What the routes of every framework are made of.
import { Webhooks } from "@octokit/webhooks";
import { createReceiver } from "bluum-webhooks";
import { SECRET } from "../material/signatures.mjs";

/** For middleware, with every default: claims and settles in memory. */
export function receivingReceiver() {
  return createReceiver({ secret: SECRET });
}

/** For handlers, with one that has nothing to do; asynchronous, as those that have are. */
export function handlingReceiver() {
  return receivingReceiver().on("order.filled", async () => {});
}

export function octokitWebhooks() {
  const webhooks = new Webhooks({ secret: SECRET });
  webhooks.on("push", () => {});
  return webhooks;
}
