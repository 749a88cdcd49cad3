import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { createReceiver, type ReceiverOptions } from "../../src/index.ts";
import { fakeTerminal, ran, SECRET } from "./fake-terminal.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Serves on a free port of loopback until the test ends. */
export async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/bluum`;
}

/** An app with a receiver that handles everything. */
export function receiving(options: Partial<ReceiverOptions> = {}): Promise<string> {
  return served(bluumHandler(createReceiver({ secret: SECRET, logger: false, ...options }).on("*", () => {})));
}

/** Runs `listen` until the test ends. */
export async function listening(args: readonly string[] = []) {
  const terminal = fakeTerminal();
  const ended = ran(["listen", "--port", "0", ...args], terminal);
  closing.push(() => {
    terminal.interrupt();
    return ended;
  });
  const [, url = ""] = await terminal.until(/(http:\/\/[\d.]+:\d+\/[^\s",]+)/);
  return { terminal, url, ended };
}

/** Sends a request with exactly these headers, and returns the answer. */
export async function sent(
  url: string,
  rawHeaders: string[],
  body: string | Uint8Array,
  method = "POST",
): Promise<{ answer: IncomingMessage; text: string }> {
  // The path is sent unchanged; a URL object would encode some of its characters.
  const path = url.slice(new URL(url).origin.length);
  const outgoing = request(url, { path, method, headers: rawHeaders, agent: false });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer.setEncoding("latin1")) text += chunk;
  return { answer, text };
}

/** Writes bytes to the server of a URL, and returns everything that it sends until it closes. */
export async function conversation(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(bytes, "latin1");
  let text = "";
  for await (const chunk of socket.setEncoding("latin1")) text += chunk;
  return text;
}
