/**
 * Mounts a receiver on AWS Lambda, behind API Gateway, a Function URL or an Application Load Balancer.
 *
 * @example
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumHandler } from "bluum-webhooks/lambda";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * receiver.on("order.*", async (event) => console.log(event.type));
 * export const handler = bluumHandler(receiver);
 *
 * @module bluum-webhooks/lambda
 */

import { STATUS_CODES } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { Delivery, Receiver, Reply } from "../src/index.ts";

/** The used fields of an event of API Gateway (REST and HTTP), of a Function URL, or of an Application Load Balancer. */
export interface LambdaHttpEvent {
  /** The method, in payload format 1.0 and from a load balancer. */
  readonly httpMethod?: string;
  readonly requestContext: {
    /** Has the method, in payload format 2.0. */
    readonly http?: { readonly method: string };
    /** Only from a load balancer. */
    readonly elb?: unknown;
    /** The only field that REST shares with the others. */
    readonly requestId?: string;
  };
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly multiValueHeaders?: Readonly<Record<string, string[] | undefined>> | null | undefined;
  readonly body?: string | null | undefined;
  readonly isBase64Encoded: boolean;
}

/** The used methods of an invocation's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** An answer in the shape that the event's source expects. */
export interface LambdaHttpResult {
  statusCode: number;
  /** Only for a load balancer. */
  statusDescription?: string;
  headers?: Record<string, string>;
  /** Instead of `headers`, for a load balancer whose target group has multi-value headers. */
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

/**
 * Mounts a receiver as an AWS Lambda function behind API Gateway (REST or HTTP), a Function URL, or an Application Load Balancer: runs
 * its handlers, settles, and answers. The claim lasts no longer than the invocation, and the answer is sent before that ends. The
 * promise rejects only for events that are no HTTP requests, such as a queue's.
 *
 * @example
 * export const handler = bluumHandler(receiver);
 */
export function bluumHandler(
  receiver: Receiver,
): (event: LambdaHttpEvent, context?: LambdaContext) => Promise<LambdaHttpResult> {
  return async function bluumLambdaHandler(event, context) {
    const open: Promise<unknown>[] = [];
    const reply = await receiver.handle({
      ...toDelivery(event),
      timeLeftMs: context?.getRemainingTimeInMillis(),
      waitUntil: (work) => void open.push(work),
    });
    await wait(open, context);
    return toResult(event, reply);
  };
}

/** An event as a delivery. A body that is not in base64 is text that the gateway decoded as UTF-8. */
function toDelivery(event: LambdaHttpEvent): Delivery {
  const { requestContext, httpMethod, headers, multiValueHeaders, body, isBase64Encoded } = event;
  if (requestContext === undefined) throw new TypeError("the event is no HTTP request: it has no requestContext");
  return {
    method: requestContext.http?.method ?? httpMethod ?? "",
    // In `headers` REST keeps only the last of several values.
    headers: multiValueHeaders ?? headers ?? {},
    body: async () => Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
    request: event,
  };
}

const MAX_WAIT_MS = 5_000;
const SPARE_MS = 500;

/** Waits a short time for unfinished store calls, if there is time left: Lambda freezes the process after the answer. */
async function wait(open: readonly Promise<unknown>[], context: LambdaContext | undefined): Promise<void> {
  const waitMs = Math.min(MAX_WAIT_MS, (context?.getRemainingTimeInMillis() ?? 0) - SPARE_MS);
  if (waitMs > 0) await Promise.race([Promise.all(open), setTimeout(waitMs, undefined, { ref: false })]);
}

function toResult({ requestContext, multiValueHeaders, headers }: LambdaHttpEvent, reply: Reply): LambdaHttpResult {
  const answer = { statusCode: reply.status, body: reply.body, isBase64Encoded: false };
  if (requestContext.elb === undefined) return { ...answer, headers: { ...reply.headers } };
  const statusDescription = `${reply.status} ${STATUS_CODES[reply.status]}`;
  if (headers || !multiValueHeaders) return { ...answer, statusDescription, headers: { ...reply.headers } };
  const lists = Object.entries(reply.headers).map(([name, value]) => [name, [value]]);
  return { ...answer, statusDescription, multiValueHeaders: Object.fromEntries(lists) };
}
