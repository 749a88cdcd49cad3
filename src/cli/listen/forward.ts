import { Buffer } from "node:buffer";
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { isSuccess } from "../../adapter.ts";
import { RECEIVERS_ANSWER_CHARACTERS, receiversAnswer } from "../../sandbox/deliveries/receivers-answer.ts";
import type { Arrival } from "./arrival.ts";
import { endToEnd, withHeader } from "./headers.ts";

/** What became of a delivery that was handed on. */
export interface Forwarded {
  /** What the sender was answered: the app's own status, or 502 or 504 where the app did not answer. */
  readonly status: number;
  /** Why the app's answer did not go back whole. */
  readonly trouble?: string;
  /** Whether that was the sender's doing: the app did answer, with this status. */
  readonly senderLeft?: true;
  /** Whether the app answered that no handler matches the event. */
  readonly unhandled?: boolean;
}

/** How long the app may take, to the end of its answer: what Bluum waits. */
const TIMEOUT_MS = 30_000;

/**
 * Hands a POST on as it came, and its answer back as it comes. Never rejects.
 *
 * @param target the app's URL; the query of the request is put behind it, and where it has no path the request's path is kept
 * @param signal ends it early
 * @param timeoutMs how long the app may take, in milliseconds
 */
export async function forward(
  arrival: Arrival & { readonly body: Uint8Array },
  response: ServerResponse,
  target: URL,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Forwarded> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await relay(await answerOf(send(arrival, target, AbortSignal.any([signal, timeout]))), response);
  } catch (error) {
    return giveUp(response, timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error), timeout.aborted);
  }
}

function send(
  { url, rawHeaders, body }: Arrival & { body: Uint8Array },
  target: URL,
  signal: AbortSignal,
): ClientRequest {
  const headers = withHeader(endToEnd(rawHeaders), "Host", target.host);
  const outgoing = (target.protocol === "https:" ? httpsRequest : httpRequest)(target, {
    path: pathOf(target, url),
    method: "POST",
    // As a list, they are sent in this order and case, and with duplicates.
    headers: withHeader(headers, "Content-Length", String(body.byteLength)).flat(),
    signal,
    agent: false,
  });
  return outgoing.end(body);
}

/** The target's path, or the request's own where that has none, with the query of the request as it came. */
function pathOf({ pathname, search }: URL, requested: string): string {
  const question = requested.indexOf("?");
  const [asked, query] = question < 0 ? [requested, ""] : [requested.slice(0, question), requested.slice(question + 1)];
  const path = pathname === "/" ? asked : pathname;
  const queries = [search.slice(1), query].filter(Boolean);
  return queries.length === 0 ? path : `${path}?${queries.join("&")}`;
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve).once("error", reject);
    // No time limit reaches a connection that has become another protocol's.
    outgoing.once("upgrade", (_answer, socket) => {
      socket.destroy();
      reject(new Error("it changed to another protocol (101)"));
    });
    outgoing.once("close", () => reject(new Error("it closed the connection")));
  });
}

/** Gives the app's answer back. Rejects where that breaks off; a sender who does not wait for it is no fault of the app. */
async function relay(answer: IncomingMessage, response: ServerResponse): Promise<Forwarded> {
  const status = answer.statusCode as number;
  let senderLeft = response.destroyed;
  response.once("close", () => {
    senderLeft ||= answer.complete || !answer.destroyed;
  });
  const beginning = beginningOf(answer);
  try {
    response.sendDate = false;
    response.writeHead(status, reasonPhrase(answer), endToEnd(answer.rawHeaders).flat());
    await pipeline(answer, response);
    return { status, unhandled: isSuccess(status) && receiversAnswer(beginning()).unhandled };
  } catch (error) {
    if (!senderLeft) throw error;
    return { status, trouble: "the sender left before the answer", senderLeft };
  }
}

/** Listens in on an answer: gives its first bytes as text, once they have come. */
function beginningOf(answer: IncomingMessage): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    if (bytes < RECEIVERS_ANSWER_CHARACTERS) chunks.push(chunk);
    bytes += chunk.byteLength;
  });
  return () => Buffer.concat(chunks).subarray(0, RECEIVERS_ANSWER_CHARACTERS).toString("utf8");
}

/** Where the head of the app's answer has gone, only a broken connection can tell the sender that the rest will not come. */
function giveUp(response: ServerResponse, reason: string, late: boolean): Forwarded {
  if (response.headersSent) {
    response.destroy();
    return { status: response.statusCode, trouble: `the app's answer broke off: ${reason}` };
  }
  const status = late ? 504 : 502;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { code: late ? "forward_timed_out" : "forward_failed" } }));
  return { status, trouble: `the app did not answer: ${reason}` };
}

/** The words behind the status, unless they are such as no answer may have. */
function reasonPhrase({ statusMessage = "" }: IncomingMessage): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage) ? statusMessage : "";
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
