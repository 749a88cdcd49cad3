import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { asChunk, RawSender } from "./sender.ts";
import { type Member, signed, trial } from "./trial.ts";

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
