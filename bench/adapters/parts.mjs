// Parts that the routes of all frameworks share.
import { Webhooks } from "@octokit/webhooks";
import { createReceiver } from "bluum-webhooks";
import { SECRET } from "../material/signatures.mjs";

/** A receiver for middleware, with all defaults: claims and settles in memory. */
export function receivingReceiver() {
  return createReceiver({ secret: SECRET });
}

/** A receiver with one empty asynchronous handler. */
export function handlingReceiver() {
  return receivingReceiver().on("order.filled", async () => {});
}

export function octokitWebhooks() {
  const webhooks = new Webhooks({ secret: SECRET });
  webhooks.on("push", () => {});
  return webhooks;
}
