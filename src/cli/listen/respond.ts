import type { ServerResponse } from "node:http";
import { isSuccess, replyTo } from "../../adapter.ts";
import { type Reply, WebhookError } from "../../index.ts";
import type { CheckedDelivery } from "./check-delivery.ts";
import { type Forwarded, forward } from "./forward.ts";
import type { ReceivedRequest } from "./read-request.ts";

/**
 * Answers a delivery: with the app's answer if there is a target, else as a receiver does. An accepted event is settled by the
 * answer, so that a retry is a duplicate only if the event was processed. Never rejects.
 *
 * @param target the app's URL
 */
export async function respond(
  request: ReceivedRequest,
  { outcome }: CheckedDelivery,
  response: ServerResponse,
  target: URL | undefined,
  signal: AbortSignal,
): Promise<Forwarded> {
  const { method, body } = request;
  const forwarded =
    target === undefined || method !== "POST" || body instanceof WebhookError
      ? sendReply(response, replyTo(outcome))
      : await forward({ ...request, body }, response, target, signal);
  const { status, trouble, senderLeft = false, unhandled = false } = forwarded;
  // An unhandled event is not remembered: the app answers each copy in the same way.
  const isProcessed = isSuccess(status) && (trouble === undefined || senderLeft) && !unhandled;
  if (outcome.kind === "accepted") await outcome.settle(isProcessed ? "processed" : "failed", { status });
  return forwarded;
}

/** Sends a reply of `listen` itself. */
export function sendReply(response: ServerResponse, { status, headers, body }: Reply): Forwarded {
  // If the body was not read to its end, its rest must not be parsed as the next request.
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(status, { ...headers });
  response.end(body);
  return { status };
}
