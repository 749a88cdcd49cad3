import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bluumHandler } from "../../../adapters/node.ts";
import type { Receiver } from "../../../src/index.ts";
import { quietReceiver } from "../contract/mounts.ts";
import { listen, PATH } from "../contract/sender.ts";
import { event, signed, until } from "../contract/trial.ts";

/** A whole request as one text. */
function written(headers: object, body: string): string {
  const lines = Object.entries({ host: "localhost", "content-length": Buffer.byteLength(body), ...headers });
  return `POST ${PATH} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

function genuine(id: string): string {
  const body = JSON.stringify(event({ event_id: id }));
  return written(signed(body).headers as object, body);
}

/** Sends each text on its own connection, all in one turn; returns the answers. */
async function sendAtOnce(port: number, texts: readonly string[]): Promise<string[]> {
  const sockets = texts.map(() => connect({ port, host: "127.0.0.1" }));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  const answers = sockets.map(() => "");
  for (const [place, socket] of sockets.entries()) {
    socket.on("data", (bytes) => {
      answers[place] = `${answers[place]}${bytes}`;
    });
    socket.write(texts[place] as string);
  }
  await until(() => answers.every((answer) => /\r\n\r\n.*\}/s.test(answer)), "all are answered");
  for (const socket of sockets) socket.destroy();
  return answers;
}

/** A server that calls back with each request before it is handled. */
async function serving(receiver: Receiver, before: (req: IncomingMessage, res: ServerResponse) => void) {
  const handler = bluumHandler(receiver);
  const listener: RequestListener = (req, res) => {
    before(req, res);
    void handler(req, res);
  };
  return listen(createServer(listener));
}

describe("bodies that come with their headers", () => {
  afterEach(() => void vi.useRealTimers());

  it("are not mixed up if many come in one turn", async () => {
    const ids = Array.from({ length: 40 }, (_, place) => `evt_${place}`);
    const reached: string[] = [];
    const receiver = quietReceiver().on("*", (event) => void reached.push(event.id));
    const endpoint = await serving(receiver, () => {});
    const answers = await sendAtOnce(endpoint.port, ids.map(genuine));
    expect(answers.every((answer) => answer.startsWith("HTTP/1.1 200 "))).toBe(true);
    expect(reached.sort()).toEqual([...ids].sort());
    await endpoint.close();
  });

  it("are read to their end before the event is handled, and the connection stays open", async () => {
    const ended: boolean[] = [];
    let current: IncomingMessage | undefined;
    const receiver = quietReceiver().on("*", () => void ended.push(current?.readableEnded === true));
    const endpoint = await serving(receiver, (req) => {
      current = req;
    });
    const [answer] = await sendAtOnce(endpoint.port, [genuine("evt_1")]);
    expect(ended).toEqual([true]);
    expect(answer).toContain("Connection: keep-alive");
    await endpoint.close();
  });

  it("may be chunked, without a Content-Length", async () => {
    const body = JSON.stringify(event());
    const chunked = written({ ...signed(body).headers, "transfer-encoding": "chunked" }, "")
      .replace("content-length: 0\r\n", "")
      .concat(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    const endpoint = await serving(
      quietReceiver().on("*", () => {}),
      () => {},
    );
    expect((await sendAtOnce(endpoint.port, [chunked]))[0]).toContain("200 OK");
    await endpoint.close();
  });

  it("are not affected by a listener of another request that throws", async () => {
    const handler = bluumHandler(quietReceiver().on("*", () => {}));
    let first = true;
    const endpoint = await listen(
      createServer((req, res) => {
        void handler(req, res);
        if (!first) return;
        first = false;
        // Added after the handler, so it does not start the stream.
        req.on("data", () => {
          throw new Error("an error of a listener");
        });
      }),
    );
    const answers = await sendAtOnce(endpoint.port, ["evt_1", "evt_2", "evt_3"].map(genuine));
    expect(answers.map((answer) => answer.slice(9, 12)).sort()).toEqual(["200", "200", "408"]);
    await endpoint.close();
  });

  it("end in the asynchronous context of their own request", async () => {
    const contexts = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    const handled: (number | undefined)[] = [];
    const receiver = quietReceiver().on("*", () => void handled.push(contexts.getStore()));
    const handler = bluumHandler(receiver);
    let requests = 0;
    const endpoint = await listen(
      createServer((req, res) => {
        req.on("end", () => seen.push(contexts.getStore()));
        requests += 1;
        void contexts.run(requests, () => handler(req, res));
      }),
    );
    await sendAtOnce(
      endpoint.port,
      Array.from({ length: 20 }, (_, place) => genuine(`evt_${place}`)),
    );
    const own = Array.from({ length: 20 }, (_, place) => place + 1);
    expect(seen).toEqual(own);
    expect(handled).toEqual(own);
    await endpoint.close();
  });

  it("are read while a test has faked the global timers", async () => {
    const endpoint = await serving(
      quietReceiver().on("*", () => {}),
      () => {},
    );
    const socket = connect({ port: endpoint.port, host: "127.0.0.1" });
    await new Promise((resolve) => socket.once("connect", resolve));
    const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
    vi.useFakeTimers({ toFake: ["setImmediate", "setTimeout", "setInterval"] });
    socket.write(genuine("evt_1"));
    expect(await answer).toContain("200 OK");
    vi.useRealTimers();
    socket.destroy();
    await endpoint.close();
  });
});
