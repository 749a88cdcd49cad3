import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { createSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/index.ts";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A sandbox that is closed after the test. */
export async function sandboxed(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await createSandbox(options);
  endings.push(() => sandbox.close());
  return sandbox;
}

/** Serves until the test is over. @returns the address */
export async function served(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/bluum`;
}

/** A complete request. */
export interface Arrived {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** The client's port: the same if the connection was reused. */
  readonly fromPort: number | undefined;
}

/** Answers one request; called after its body has arrived. */
export type Answering = (arrived: Arrived, response: ServerResponse) => unknown;

/** An endpoint that records its requests. By default it answers 200. */
export async function recordingEndpoint(answer: Answering = (_, response) => response.end("ok")): Promise<{
  readonly url: string;
  readonly arrived: Arrived[];
  /** Requests whose body was cut off. */
  readonly broken: IncomingMessage[];
}> {
  const arrived: Arrived[] = [];
  const broken: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      broken.push(request);
      return;
    }
    const { headers, rawHeaders, socket } = request;
    const one = { headers, rawHeaders, body: Buffer.concat(chunks), fromPort: socket.remotePort };
    arrived.push(one);
    answer(one, response);
  });
  return { url: await served(server), arrived, broken };
}

/** Answers with one status after the other, then always with the last one. */
export function statuses(...list: readonly number[]): Answering {
  let asked = 0;
  return (_, response) => {
    response.writeHead(list[Math.min(asked, list.length - 1)] ?? 200).end();
    asked += 1;
  };
}
