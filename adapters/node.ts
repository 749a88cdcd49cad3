/**
 * Mounts a receiver on Node's own HTTP server, and on everything with its requests and responses.
 *
 * @example
 * import { createServer } from "node:http";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumHandler } from "bluum-webhooks/node";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * receiver.on("order.*", async (event) => console.log(event.type));
 * createServer(bluumHandler(receiver)).listen(3000);
 *
 * @module bluum-webhooks/node
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Receiver } from "../src/index.ts";
import { toDelivery } from "./node/delivery.ts";
import { sendReply } from "./node/reply.ts";

export { leaveBody, type NodeRequest, toDelivery } from "./node/delivery.ts";
export { leftUnread, sendReply } from "./node/reply.ts";
export { atEnd, refuseSuccess } from "./node/response-end.ts";

/**
 * Mounts a receiver on a plain `http`, `https` or HTTP/2 server, or on a route of Express: runs its handlers, settles, and answers.
 * The promise never rejects, so Express 4 can use it too.
 *
 * @example
 * http.createServer(bluumHandler(receiver)).listen(3000);
 * app.post("/webhooks/bluum", bluumHandler(receiver));
 */
export function bluumHandler(
  receiver: Receiver,
): (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse) => Promise<void> {
  return async function bluumNodeHandler(request, response) {
    // The compatibility classes of HTTP/2 have everything that is used here, but their types are not related.
    const req = request as IncomingMessage;
    sendReply(req, response as ServerResponse, await receiver.handle(toDelivery(req)));
  };
}
