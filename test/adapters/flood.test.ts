import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../exhaustive.ts";

const MEBIBYTE = 1024 * 1024;
const SENDERS = 8;
/** Of one byte each. */
const CHUNKS = 70_000;
const HEADERS = { "content-type": "application/json", "x-bluum-signature": "0".repeat(64) };

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Server {
  readonly port: number;
  readonly path: string;
  /** The bytes that the server has received, and the memory that it has taken for them. */
  measure(): Promise<{ readonly received: number; readonly rss: number; readonly used: number }>;
}

async function started(name: string): Promise<Server> {
  const server = new URL("flood/server.mjs", import.meta.url);
  const child = fork(server, [name], { execArgv: ["--expose-gc", "--no-warnings"] });
  children.push(child);
  const exited = once(child, "exit").then(([code]) => Promise.reject(new Error(`the server exited with code ${code}`)));
  const [{ port, path }] = await Promise.race([once(child, "message"), exited]);
  const measure = async () => {
    child.send("measure");
    return (await once(child, "message"))[0];
  };
  return { port, path, measure };
}

/** Writes the head of a request and a body in chunks of one byte, without its end. Returns the number of bytes. */
async function flood({ port, path }: Server): Promise<number> {
  const headers = { host: `127.0.0.1:${port}`, ...HEADERS, "transfer-encoding": "chunked" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const sent = `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${"1\r\nx\r\n".repeat(CHUNKS)}`;
  const socket = connect(port, "127.0.0.1");
  socket.once("data", (answer) => socket.destroy(new Error(`answered early: ${answer}`)));
  await new Promise<void>((resolve, reject) => socket.on("error", reject).write(sent, () => resolve()));
  return sent.length;
}

/** The same over HTTP/2, in frames of one byte. */
async function floodHttp2({ port, path }: Server): Promise<number> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":method": "POST", ":path": path, ...HEADERS });
  // The server is killed at the end. Until then a failed write rejects.
  for (const each of [session, stream]) each.on("error", () => {});
  stream.once("response", () => stream.destroy(new Error("answered early")));
  const byte = Buffer.from("x");
  for (let chunk = 1; chunk < CHUNKS; chunk += 1) {
    // One by one: waiting writes are sent as one frame.
    await new Promise<void>((resolve, reject) => stream.write(byte, (error) => (error ? reject(error) : resolve())));
  }
  return CHUNKS;
}

describe.runIf(exhaustive)("eight senders of bodies in chunks of one byte", inFull, () => {
  it.each([
    ["node", flood],
    ["node over HTTP/2", floodHttp2],
    ["express", flood],
    ["koa", flood],
    ["fastify", flood],
    ["fetch", flood],
    ["hono", flood],
    ["the command line's listen", flood],
    ["the sandbox", flood],
  ])(
    "take less than 100 MB of %s",
    async (name, send) => {
      const server = await started(name);
      const sent = await Promise.all(Array.from({ length: SENDERS }, () => send(server)));
      const total = sent.reduce((sum, bytes) => sum + bytes);
      let taken = await server.measure();
      while (taken.received < total) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        taken = await server.measure();
      }
      expect(taken.rss).toBeLessThan(100 * MEBIBYTE);
      expect(taken.used).toBeLessThan(100 * MEBIBYTE);
    },
    60_000,
  );
});
