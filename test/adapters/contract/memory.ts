import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { asChunk, RawSender } from "./sender.ts";
import { event, expectRefusal, type It, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const MEBIBYTE = 1024 * 1024;
const UPLOAD = 50 * MEBIBYTE;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The memory that large uploads take. Run these cases alone: they measure the whole process. */
export function memoryCases(member: Member, it: It): void {
  const uploads: readonly (readonly [string, Record<string, string>])[] = [
    ["unsigned, with a Content-Length", { "content-length": String(UPLOAD) }],
    ["unsigned, in chunks", { "transfer-encoding": "chunked" }],
    [
      "with a forged signature and a Content-Length",
      { "x-bluum-signature": "0".repeat(64), "content-length": String(UPLOAD) },
    ],
    ["with a forged signature, in chunks", { "x-bluum-signature": "0".repeat(64), "transfer-encoding": "chunked" }],
  ];
  for (const [what, headers] of uploads) {
    it(`an upload of 50 MB is not kept in memory (${what})`, () =>
      trial(member, {}, async ({ endpoint, send }) => {
        await send(signed());
        const most = await mostHeldDuring(endpoint.port, headers);
        // A body of up to maxBodyBytes may be in memory, and some bytes are in the buffers of the sockets.
        expect(most).toBeLessThan(20 * MEBIBYTE);
      }));
  }
}

/** The memory that many large bodies take at once. */
export function floodCases(member: Member, it: It): void {
  // Each takes 960 KiB of the 64 MiB.
  const ADMITTED = 68;

  it("large bodies beyond 64 MiB at once are 503 receiver_busy; small events are accepted, and large ones later", () =>
    trial(member, { bodyTimeoutMs: 60_000 }, async ({ endpoint, send, reports }) => {
      const headers = { ...signed().headers, "content-length": String(MEBIBYTE) };
      const piece = Buffer.alloc(MEBIBYTE - 1, 0x20);
      const senders = Array.from({ length: ADMITTED + 2 }, () => new RawSender(endpoint.port));
      await Promise.all(senders.map(async (sender) => (await sender.head(headers)) && sender.write(piece)));
      const having = (code: string) => reports.filter((report) => report.code === code).length;
      const large = signed(event({ padding: "x".repeat(600_000) }));
      try {
        await until(() => having("receiver_busy") === 2, "the refusals", 15_000);
        expect(await send(signed())).toSatisfy(isSuccess);
        expectRefusal(await send(large), 503, "receiver_busy");
      } finally {
        for (const sender of senders) sender.destroy();
      }
      await until(() => having("body_incomplete") === ADMITTED, "the end of the others");
      expect(await send(large)).toSatisfy(isSuccess);
    }));
}

/** Uploads until the server ends the connection; returns the most bytes that were in memory at a time. */
async function mostHeldDuring(port: number, headers: Record<string, string>): Promise<number> {
  const before = await held();
  const sender = new RawSender(port);
  await sender.head(headers);
  const piece = Buffer.alloc(MEBIBYTE, 0x20);
  const frame = "content-length" in headers ? piece : asChunk(piece);
  let most = 0;
  for (let sent = MEBIBYTE; sent <= UPLOAD && (await sender.write(frame)); sent += MEBIBYTE) {
    if (sent % (10 * MEBIBYTE) === 0) most = Math.max(most, (await held()) - before);
  }
  sender.destroy();
  return most;
}

/** The bytes of all buffers that are in use. */
async function held(): Promise<number> {
  // Twice: buffers are freed in the background.
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 5));
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
