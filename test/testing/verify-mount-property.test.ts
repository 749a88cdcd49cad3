import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MountError, verifyMount } from "../../src/testing/index.ts";
import { inFull, runs } from "../exhaustive.ts";
import { raw } from "./mounts/servers.ts";

const secret = "the-secret-of-a-mount-0123456789";
const TIMEOUT_MS = 150;
/** Allowance for a busy machine. */
const GRACE_MS = 2_000;

/** Expects that a check ends in time with a MountError. */
async function expectToEnd(target: Parameters<typeof verifyMount>[0]): Promise<void> {
  const began = performance.now();
  await expect(verifyMount(target, { secret, timeoutMs: TIMEOUT_MS })).rejects.toBeInstanceOf(MountError);
  expect(performance.now() - began).toBeLessThan(TIMEOUT_MS + GRACE_MS);
}

const head = fc.constantFrom(
  "",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
  "HTTP/1.1 401 Unauthorized\r\ntransfer-encoding: chunked\r\n\r\n",
  "HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: 40\r\n\r\n",
  "HTTP/1.1 302 Found\r\nlocation: http://[\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 204 No Content\r\n",
  "HTTP/1.1 999\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
);
const codes = fc.constantFrom(
  "signature_missing",
  "signature_mismatch",
  "signature_malformed",
  "body_already_parsed",
  "timestamp_out_of_tolerance",
  "nonsense",
);
const body = fc.oneof(
  fc.string(),
  fc.json(),
  codes.map((code) => JSON.stringify({ error: { code } })),
  fc.constantFrom('{"received":true,"ping":false}', '{"error":null}', "null", "0\r\n\r\n", "x".repeat(100_000)),
);
const ENDINGS = {
  end: (socket: Socket) => void socket.end(),
  cut: (socket: Socket) => void socket.resetAndDestroy(),
  hold: () => {},
  endless: pour,
  drip,
};
const ending = fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[]));

describe("for any answer, a check ends in time with a MountError", () => {
  it("over a connection: garbage, slow, huge, cut off", { ...inFull, timeout: 120_000 }, async () => {
    let talk: (socket: Socket) => void = () => {};
    const url = await raw((socket) => socket.once("data", () => talk(socket)));
    await fc.assert(
      fc.asyncProperty(head, body, ending, async (start, text, how) => {
        talk = (socket) => {
          socket.write(start + text);
          ENDINGS[how](socket);
        };
        await expectToEnd(url);
      }),
      { numRuns: runs(8, 80) },
    );
  });

  it("by an app in this process: no Response, odd ones, endless streams", { ...inFull, timeout: 60_000 }, async () => {
    const response = fc.oneof(
      fc.tuple(fc.integer({ min: 200, max: 599 }), body).map(
        ([status, text]) =>
          () =>
            new Response([204, 205, 304].includes(status) ? null : text, { status }),
      ),
      fc.anything().map((value) => () => value),
      fc.anything().map((value) => () => Promise.reject(value)),
      fc
        .constantFrom(new Uint8Array(0), new Uint8Array(9), "no bytes", undefined)
        .map((chunk) => () => new Response(endless(chunk))),
      fc.constant(() => new Response(new ReadableStream())),
      fc.constant(() => new Promise(() => {})),
      fc.constant(() => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error("no")) }))),
      fc.constant(() => {
        const used = new Response("x");
        void used.text();
        return used;
      }),
    );
    await fc.assert(
      fc.asyncProperty(response, (answer) => expectToEnd(answer as () => Response)),
      { numRuns: runs(20, 200) },
    );
  });

  it("by answers that differ each time", { ...inFull, timeout: 60_000 }, async () => {
    const answers = fc.infiniteStream(fc.tuple(fc.constantFrom(200, 401, 404, 500), codes));
    await fc.assert(
      fc.asyncProperty(answers, (stream) =>
        expectToEnd(() => {
          const [status, code] = stream.next().value;
          return Response.json({ error: { code } }, { status });
        }),
      ),
      { numRuns: runs(10, 150) },
    );
  });
});

function endless(chunk: unknown): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
}

function pour(socket: Socket): void {
  const more = () => {
    while (!socket.destroyed && socket.write("x".repeat(16_384)));
  };
  socket.on("drain", more);
  more();
}

function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write("x"), 20);
  socket.once("close", () => clearInterval(timer));
}
