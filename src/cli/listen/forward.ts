import { Buffer } from "node:buffer";
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { isSuccess } from "../../adapter.ts";
import { RECEIVERS_ANSWER_CHARACTERS, receiversAnswer } from "../../sandbox/deliveries/receivers-answer.ts";
import { endToEnd, withHeader } from "./headers.ts";
import type { ReceivedRequest } from "./read-request.ts";

/** The result of forwarding a delivery. */
export interface Forwarded {
  /** The status that the sender got: the app's own, or 502 or 504 if the app did not answer. */
  readonly status: number;
  /** The reason why the app's answer was not relayed in full. */
  readonly trouble?: string;
  /** Set if the sender closed the connection; the app did answer with this status. */
  readonly senderLeft?: true;
  /** Whether the app answered that no handler matches the event. */
  readonly unhandled?: boolean;
}

/** The time limit for the app's whole answer; Bluum's own. */
const TIMEOUT_MS = 30_000;

/**
 * Forwards a POST unchanged and relays the answer. Never rejects.
 *
 * @param target the app's URL; the request's query is appended, and without a path the request's path is used
 * @param signal aborts the request to the app
 * @param timeoutMs the time limit for the app's whole answer
 */
export async function forward(
  request: ReceivedRequest & { readonly body: Uint8Array },
  response: ServerResponse,
  target: URL,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Forwarded> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await relay(await answerOf(send(request, target, AbortSignal.any([signal, timeout]))), response);
  } catch (error) {
    return answerFailure(
      response,
      timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error),
      timeout.aborted,
    );
  }
}

function send(
  { url, rawHeaders, body }: ReceivedRequest & { body: Uint8Array },
  target: URL,
  signal: AbortSignal,
): ClientRequest {
  const headers = withHeader(endToEnd(rawHeaders), "Host", target.host);
  const outgoing = (target.protocol === "https:" ? httpsRequest : httpRequest)(target, {
    path: pathOf(target, url),
    method: "POST",
    // A flat list keeps the order, the case and duplicates.
    headers: withHeader(headers, "Content-Length", String(body.byteLength)).flat(),
    signal,
    agent: false,
  });
  return outgoing.end(body);
}

/** The target's path, or the request's if the target has none, with both queries. */
function pathOf({ pathname, search }: URL, requested: string): string {
  const question = requested.indexOf("?");
  const [requestPath, query] =
    question < 0 ? [requested, ""] : [requested.slice(0, question), requested.slice(question + 1)];
  const path = pathname === "/" ? requestPath : pathname;
  const queries = [search.slice(1), query].filter(Boolean);
  return queries.length === 0 ? path : `${path}?${queries.join("&")}`;
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve).once("error", reject);
    // After an upgrade the abort signal no longer closes the connection.
    outgoing.once("upgrade", (_answer, socket) => {
      socket.destroy();
      reject(new Error("it changed to another protocol (101)"));
    });
    outgoing.once("close", () => reject(new Error("it closed the connection")));
  });
}

/** Relays the app's answer. Rejects if the answer is incomplete, but not if the sender closes the connection. */
async function relay(answer: IncomingMessage, response: ServerResponse): Promise<Forwarded> {
  const status = answer.statusCode as number;
  let senderLeft = response.destroyed;
  response.once("close", () => {
    senderLeft ||= answer.complete || !answer.destroyed;
  });
  const start = startOf(answer);
  try {
    response.sendDate = false;
    response.writeHead(status, reasonPhrase(answer), endToEnd(answer.rawHeaders).flat());
    await pipeline(answer, response);
    return { status, unhandled: isSuccess(status) && receiversAnswer(start()).unhandled };
  } catch (error) {
    if (!senderLeft) throw error;
    return { status, trouble: "the sender left before the answer", senderLeft };
  }
}

/** Copies the start of an answer while it is relayed; the returned function gives it as text. */
function startOf(answer: IncomingMessage): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    if (bytes < RECEIVERS_ANSWER_CHARACTERS) chunks.push(chunk);
    bytes += chunk.byteLength;
  });
  return () => Buffer.concat(chunks).subarray(0, RECEIVERS_ANSWER_CHARACTERS).toString("utf8");
}

/** Answers 502 or 504. If the head is already sent, closes the connection, so that the sender sees an incomplete answer. */
function answerFailure(response: ServerResponse, reason: string, timedOut: boolean): Forwarded {
  if (response.headersSent) {
    response.destroy();
    return { status: response.statusCode, trouble: `the app's answer is incomplete: ${reason}` };
  }
  const status = timedOut ? 504 : 502;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { code: timedOut ? "forward_timed_out" : "forward_failed" } }));
  return { status, trouble: `the app did not answer: ${reason}` };
}

/** The reason phrase; empty if it contains characters that Node refuses to send. */
function reasonPhrase({ statusMessage = "" }: IncomingMessage): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage) ? statusMessage : "";
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
