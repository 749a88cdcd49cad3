import { STATUS_CODES } from "node:http";
import type { Delivery, Receiver, Reply } from "../src/index.ts";

/** What is used of an event of API Gateway (REST and HTTP), of a Function URL, or of an Application Load Balancer. */
export interface LambdaHttpEvent {
  /** The method, where the payload has format 1.0 or comes from a load balancer. */
  readonly httpMethod?: string;
  readonly requestContext: {
    /** The method, where the payload has format 2.0. */
    readonly http?: { readonly method: string };
    /** There when a load balancer asks. */
    readonly elb?: unknown;
    /** All that REST has in common with the others. */
    readonly requestId?: string;
  };
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly multiValueHeaders?: Readonly<Record<string, string[] | undefined>> | null | undefined;
  readonly body?: string | null | undefined;
  readonly isBase64Encoded: boolean;
}

/** What is used of an invocation's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** An answer in the shape that the event's source asks for. */
export interface LambdaHttpResult {
  statusCode: number;
  /** For a load balancer only. */
  statusDescription?: string;
  headers?: Record<string, string>;
  /** In place of `headers`, for a load balancer whose target group has multi-value headers. */
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

/**
 * Mounts a receiver as an AWS Lambda function behind API Gateway (REST or HTTP), a Function URL, or an Application Load
 * Balancer: its handlers run, it settles, it answers. The claim lasts no longer than the invocation, and the answer is out
 * before that ends. It rejects for events of other kinds only, such as a queue's.
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

/** An event as a delivery. A body that is not in base64 is the text that the gateway made of the bytes, in UTF-8. */
function toDelivery(event: LambdaHttpEvent): Delivery {
  const { requestContext, httpMethod, headers, multiValueHeaders, body, isBase64Encoded } = event;
  if (requestContext === undefined) throw new TypeError("the event is no HTTP request: it has no requestContext");
  return {
    method: requestContext.http?.method ?? httpMethod ?? "",
    // REST keeps but the last of several values in `headers`.
    headers: multiValueHeaders ?? headers ?? {},
    body: async () => Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
    request: event,
  };
}

const LONGEST_WAIT_MS = 5_000;
const SPARE_MS = 500;

/** After the answer everything is frozen: so what the store has not taken yet has a moment, where there is one to spare. */
async function wait(open: readonly Promise<unknown>[], context: LambdaContext | undefined): Promise<void> {
  const spareMs = Math.min(LONGEST_WAIT_MS, (context?.getRemainingTimeInMillis() ?? 0) - SPARE_MS);
  if (spareMs <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, spareMs);
  });
  await Promise.race([Promise.all(open), late]);
  clearTimeout(timer);
}

function toResult({ requestContext, multiValueHeaders, headers }: LambdaHttpEvent, reply: Reply): LambdaHttpResult {
  const answer = { statusCode: reply.status, body: reply.body, isBase64Encoded: false };
  if (requestContext.elb === undefined) return { ...answer, headers: { ...reply.headers } };
  const statusDescription = `${reply.status} ${STATUS_CODES[reply.status]}`;
  if (headers || !multiValueHeaders) return { ...answer, statusDescription, headers: { ...reply.headers } };
  const lists = Object.entries(reply.headers).map(([name, value]) => [name, [value]]);
  return { ...answer, statusDescription, multiValueHeaders: Object.fromEntries(lists) };
}
