import type { ServerResponse } from "node:http";
import { isSuccess, type Reply, replyTo, WebhookError } from "../../index.ts";
import type { Judgement } from "./check-delivery.ts";
import { type Forwarded, forward } from "./forward.ts";
import type { Arrival } from "./read-request.ts";

/**
 * Answers a delivery: as the app does, where there is one to hand it on to, else as a receiver does. An accepted event is settled
 * by that answer, so that its retry counts as a duplicate or not. Never rejects.
 *
 * @param target the app's URL
 */
export async function answer(
  arrival: Arrival,
  { outcome }: Judgement,
  response: ServerResponse,
  target: URL | undefined,
  signal: AbortSignal,
): Promise<Forwarded> {
  const { method, body } = arrival;
  // What did not come whole cannot be handed on as it came.
  const forwarded =
    target === undefined || method !== "POST" || body instanceof WebhookError
      ? send(response, replyTo(outcome))
      : await forward({ ...arrival, body }, response, target, signal);
  const { status, trouble, senderLeft = false, unhandled = false } = forwarded;
  // An unhandled event is not remembered: the app answers its copy in the same way.
  const processed = isSuccess(status) && (trouble === undefined || senderLeft) && !unhandled;
  if (outcome.kind === "accepted") await outcome.settle(processed ? "processed" : "failed", { status });
  return forwarded;
}

/** Sends an answer of ours. */
export function send(response: ServerResponse, { status, headers, body }: Reply): Forwarded {
  // What is left of a body that was given up must not be taken for the next request.
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(status, { ...headers });
  response.end(body);
  return { status };
}
