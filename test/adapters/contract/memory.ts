import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { asChunk, RawSender } from "./sender.ts";
import { event, expectRefusal, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const MEBIBYTE = 1024 * 1024;
const UPLOAD = 50 * MEBIBYTE;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What large uploads may cost: to be run alone, since it measures the whole process. */
export function memoryCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
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
    it(`an upload of 50 MB ${what}, is never held in memory`, () =>
      trial(member, {}, async ({ endpoint, send }) => {
        await send(signed());
        const most = await mostHeldDuring(endpoint.port, headers);
        // The limit itself may be held while it is read, and some is always on its way.
        expect(most).toBeLessThan(20 * MEBIBYTE);
      }));
  }
}

/** What many large bodies at once may cost. */
export function floodCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
  // 960 KiB of each of these are taken from 64 MiB.
  const ADMITTED = 68;

  it("large bodies beyond 64 MiB at once are 503 receiver_busy; small events get in, and large ones once others have left", () =>
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

/** Uploads until the server has enough of it; gives the most bytes that were held on the way. */
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

/** Bytes in buffers that something still refers to. */
async function held(): Promise<number> {
  // Once more a turn later: buffers are freed in the background.
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 5));
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
