import { request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { SignedDelivery } from "../../../src/testing/index.ts";

/** An answer. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request to send. A header that is an array is sent once for each value. */
export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Sends the body in chunks of this many bytes, without a Content-Length. */
  readonly chunkBytes?: number;
}

/** A started app. */
export interface Endpoint {
  send(sending: Sending): Promise<Answer>;
  /** The port to connect to, 0 without a socket. */
  readonly port: number;
  /** Resolves once no connection is open, and rejects if one stays open. */
  close(): Promise<void>;
}

export const PATH = "/webhooks/bluum";

/** Starts a server on a free port. */
export async function listen(server: Server): Promise<Endpoint> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, send: (sending) => sendOver(port, sending), close: () => closeServer(server) };
}

/** An app that takes a `Request` in this process, without a socket. */
export function inProcess(app: (request: Request) => Response | Promise<Response>): Endpoint {
  return { port: 0, send: async (sending) => answerOf(await app(requestOf(sending))), close: async () => {} };
}

/** Sends a request with an HTTP client. */
function sendOver(
  port: number,
  { method = "POST", headers = {}, body = "", chunkBytes }: Sending,
  path = PATH,
): Promise<Answer> {
  const bytes = Buffer.from(body as Uint8Array);
  const framing = chunkBytes === undefined ? { "content-length": String(bytes.length) } : {};
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { port, path, method, agent: false, headers: { ...framing, ...writable(headers) } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: flat(incoming.headers),
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    if (chunkBytes === undefined) outgoing.end(bytes);
    else {
      outgoing.flushHeaders();
      for (let at = 0; at < bytes.length; at += chunkBytes) outgoing.write(bytes.subarray(at, at + chunkBytes));
      outgoing.end();
    }
  });
}

/** A sender that writes bytes to a socket. */
export class RawSender {
  readonly socket: Socket;
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #gone = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1").setNoDelay(true);
    // Nothing is read before `answer()` is called: a reset loses the answer, as for a sender that only writes.
    this.socket.pause();
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.socket.pause();
    this.closed = new Promise((resolve) =>
      this.socket.once("close", () => {
        this.#gone = true;
        this.#wake();
        resolve();
      }),
    );
  }

  /** Writes, and waits until the kernel has accepted it; false if the connection was closed. */
  write(data: string | Uint8Array): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false);
    const written = new Promise<boolean>((resolve) => this.socket.write(data, (error) => resolve(!error)));
    return Promise.race([written, this.closed.then(() => false)]);
  }

  /** Writes the head of a request. */
  head(headers: Readonly<Record<string, string>>, method = "POST"): Promise<boolean> {
    const lines = Object.entries({ host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.write(`${method} ${PATH} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Writes a whole request. */
  async request({ headers, body }: Pick<SignedDelivery, "headers" | "body">): Promise<void> {
    await this.head({ ...headers, "content-length": String(Buffer.byteLength(body)) });
    await this.write(body);
  }

  /** Reads one answer. Rejects if the connection ended before it was complete. */
  async answer(): Promise<Answer> {
    this.socket.resume();
    for (;;) {
      const whole = parseAnswer(this.#received.toString("latin1"));
      if (whole) return whole;
      if (this.#gone)
        throw new Error(
          `the connection ended without a complete answer: ${JSON.stringify(this.#received.toString("latin1"))}`,
        );
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function parseAnswer(text: string): Answer | undefined {
  const split = text.indexOf("\r\n\r\n");
  if (split < 0) return undefined;
  const [start = "", ...lines] = text.slice(0, split).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const length = Number(headers["content-length"]);
  const body = text.slice(split + 4, split + 4 + length);
  return body.length < length ? undefined : { status: Number(start.split(" ")[1]), headers, body };
}

async function closeServer(server: Server): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      server.closeAllConnections();
      reject(new Error("a connection was left open"));
    }, 5_000);
  });
  await Promise.race([closed, late]).finally(() => clearTimeout(timer));
}

function requestOf({ method = "POST", headers = {}, body = "", chunkBytes }: Sending): Request {
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  );
  const bytes = new Uint8Array(Buffer.from(body as Uint8Array));
  if (method === "GET" || method === "HEAD") return new Request(`http://localhost${PATH}`, { method, headers: list });
  if (chunkBytes === undefined) {
    const framed = list.some(([name]) => name.toLowerCase() === "content-length")
      ? list
      : [...list, ["content-length", String(bytes.length)] as [string, string]];
    return new Request(`http://localhost${PATH}`, { method, headers: framed, body: bytes });
  }
  return new Request(`http://localhost${PATH}`, {
    method,
    headers: list,
    body: chunked(bytes, chunkBytes),
    duplex: "half",
  } as RequestInit);
}

function chunked(bytes: Uint8Array, chunkBytes: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunkBytes));
      at += chunkBytes;
    },
  });
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

function writable(headers: NonNullable<Sending["headers"]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function flat(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** A piece of a body in the chunked transfer coding. */
export function asChunk(piece: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
}
