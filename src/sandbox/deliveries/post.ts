import { Buffer } from "node:buffer";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { Agent as HttpsAgent, request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./delivery.ts";
import type { Fault } from "./faults.ts";

/** The most that is kept of an answer's body. */
const KEPT_ANSWER_BYTES = 4 * 1024;
/** The most that is kept of its headers, names and values together. */
const KEPT_HEADER_BYTES = 4 * 1024;
/** The most that is read of an answer, so that its connection can be used again. A longer answer is cut off. */
const READ_ANSWER_BYTES = 1024 * 1024;
/** In how many pieces a slow body is sent, and the longest pause after each. */
const SLOW_PIECES = 20;
const SLOW_PIECE_MS = 25;
/** A slow body takes at most this part of the timeout, so that it is slow but not late. */
const SLOW_PART = 1 / 4;

/** One request to be sent. */
export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** By the wall clock. */
  readonly timeoutMs: number;
  /** The fault of its connection. */
  readonly fault: Fault | undefined;
}

/** The outcome of a request: an answer, or why there is none. */
export interface Posted {
  /** As they were sent. */
  readonly headers: readonly (readonly [string, string])[];
  readonly latencyMs: number;
  readonly answer: Answer | null;
  readonly error: string | null;
}

/** The outcome of a request that was never sent. */
export function unsent(error: string): Posted {
  return { headers: [], latencyMs: 0, answer: null, error };
}

/** Sends requests over connections that are kept open. */
export class Postman {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  /** Sends one. Never rejects. Redirects are not followed: Bluum counts them as failures. */
  async send(post: Post): Promise<Posted> {
    const startedAt = performance.now();
    const sent = this.#tryToOpen(post);
    if (typeof sent === "string") return unsent(sent);
    const outcome = await outcomeOf(sent, post);
    return { headers: headersOf(sent), latencyMs: Math.round(performance.now() - startedAt), ...outcome };
  }

  /** Closes all connections at once. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** @returns the reason if Node refuses the request: a scheme may return any header */
  #tryToOpen(post: Post): ClientRequest | string {
    try {
      return this.#open(post);
    } catch (error) {
      return `could not be sent: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #open({ url, headers, body, fault }: Post): ClientRequest {
    const options: RequestOptions = {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Content-Length": String(body.byteLength),
        "User-Agent": "bluum-webhooks-sandbox",
        ...headers,
      },
      // A connection that is going to be cut must not be shared.
      ...(fault?.startsWith("cut_") ? { agent: false } : {}),
    };
    return new URL(url).protocol === "https:"
      ? secureRequest(url, { agent: this.#https, ...options })
      : request(url, { agent: this.#http, ...options });
  }
}

type Outcome = Pick<Posted, "answer" | "error">;

function outcomeOf(sent: ClientRequest, { body, timeoutMs, fault }: Post): Promise<Outcome> {
  return new Promise((resolve) => {
    const fail = (error: string) => resolve({ answer: null, error });
    const late = setTimeout(() => {
      fail("timed out");
      sent.destroy();
    }, timeoutMs);
    sent.on("response", (response) => readAnswer(response, (answer) => resolve({ answer, error: null }), fail));
    sent.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    sent.on("close", () => {
      clearTimeout(late);
      fail("the connection was closed");
    });
    const cut = () => {
      fail("cut off on purpose");
      sent.destroy();
    };
    write(sent, { body, timeoutMs, fault }, cut);
  });
}

type Written = Pick<Post, "body" | "timeoutMs" | "fault">;

function write(sent: ClientRequest, { body, timeoutMs, fault }: Written, cut: () => void): void {
  if (fault === "cut_before") onceConnected(sent, cut);
  else if (fault === "cut_middle") sent.write(body.subarray(0, body.byteLength >> 1), cut);
  else if (fault === "slow") void drip(sent, body, timeoutMs * SLOW_PART);
  else sent.end(body, fault === "cut_after" ? cut : undefined);
}

async function drip(sent: ClientRequest, body: Buffer, mostMs: number): Promise<void> {
  const size = Math.ceil(body.byteLength / SLOW_PIECES);
  const endAt = performance.now() + mostMs;
  sent.setNoDelay(true);
  let from = 0;
  for (; from < body.byteLength && !sent.destroyed && performance.now() < endAt; from += size) {
    sent.write(body.subarray(from, from + size));
    await sleep(Math.min(SLOW_PIECE_MS, mostMs / SLOW_PIECES));
  }
  sent.end(body.subarray(from));
}

function onceConnected(sent: ClientRequest, cut: () => void): void {
  sent.once("socket", (socket: Socket) => (socket.connecting ? socket.once("connect", cut) : cut()));
}

function readAnswer(response: IncomingMessage, done: (answer: Answer) => void, fail: (error: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = () => {
    const body = Buffer.concat(chunks).subarray(0, KEPT_ANSWER_BYTES);
    // A copy, since a slice would keep everything that was read in memory.
    done({
      status: response.statusCode ?? 0,
      headers: kept(pairs(response.rawHeaders)),
      body: Buffer.from(body),
      bytes,
    });
  };
  response.on("data", (chunk: Buffer) => {
    if (bytes < KEPT_ANSWER_BYTES) chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes <= READ_ANSWER_BYTES) return;
    finish();
    response.destroy();
  });
  response.on("end", finish);
  response.on("error", () => fail("the answer broke off"));
}

function pairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return rawHeaders.flatMap((name, place) => (place % 2 === 0 ? [[name, rawHeaders[place + 1] ?? ""] as const] : []));
}

/** The first headers that fit. */
function kept(headers: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  let left = KEPT_HEADER_BYTES;
  return headers.filter(([name, value]) => {
    left -= name.length + value.length;
    return left >= 0;
  });
}

/** As they go over the wire; Node adds `Host` and `Connection`. */
function headersOf(sent: ClientRequest): (readonly [string, string])[] {
  return sent.getRawHeaderNames().map((name) => [name, String(sent.getHeader(name))] as const);
}
