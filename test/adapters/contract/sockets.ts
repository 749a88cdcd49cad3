import { expect } from "vitest";
import { asChunk, RawSender } from "./sender.ts";
import { event, expectRefusal, gate, type It, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const MEBIBYTE = 1024 * 1024;
const LIMIT = 2_000;

type Headers = Record<string, string>;
type Frame = (piece: Uint8Array) => Uint8Array;
/** What is uploaded, the headers for a length in bytes, the refusal, and how its pieces are framed. */
type Upload = readonly [string, (headers: Headers, length: number) => Headers, number, string, Frame];

const plain: Frame = (piece) => piece;

/** The first is refused without reading the body, the second by its announced length, the third while it is read. */
const UPLOADS: readonly Upload[] = [
  ["unsigned", (_, length) => ({ "content-length": String(length) }), 401, "signature_missing", plain],
  [
    "too large by its Content-Length",
    (headers, length) => ({ ...headers, "content-length": String(length) }),
    413,
    "body_too_large",
    plain,
  ],
  [
    "too large in chunks",
    (headers) => ({ ...headers, "transfer-encoding": "chunked" }),
    413,
    "body_too_large",
    asChunk,
  ],
];

/** What is incomplete, its framing, and the part that is sent. */
type Incomplete = readonly [string, Headers, string];

const INCOMPLETE: readonly Incomplete[] = [
  ["a body shorter than its Content-Length", { "content-length": "100" }, '{"event":"order.filled"}'],
  ["a chunk that stops half-way", { "transfer-encoding": "chunked" }, '40\r\n{"event":"order.filled"'],
];

/** For every mount on a socket: senders that are hostile, or that fail. */
export function socketCases(member: Member, it: It): void {
  for (const upload of UPLOADS) uploadCase(member, it, upload, "one byte over the limit", LIMIT + 1);
  endlessCases(member, it, UPLOADS.slice(0, 1));
  incompleteCases(member, it, INCOMPLETE);
  disconnectCases(member, it);

  it("a body longer than its Content-Length is cut off there, so its signature is wrong", () =>
    trial(member, {}, async ({ endpoint, reached }) => {
      const { headers, body } = signed(JSON.stringify(event()));
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...headers, "content-length": "10" });
      await sender.write(body as string);
      // The server's own answer to the rest may come first.
      expect([400, 401]).toContain((await sender.answer()).status);
      await sender.closed;
      expect(reached).toEqual([]);
    }));

  it("a body that comes a byte at a time is 408 after bodyTimeoutMs", () =>
    trial(member, { bodyTimeoutMs: 200 }, async ({ endpoint }) => {
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...signed().headers, "content-length": "100000" });
      const trickle = setInterval(() => void sender.write("x"), 10);
      expectRefusal(await sender.answer(), 408, "body_timeout");
      await sender.closed.finally(() => clearInterval(trickle));
    }));

  it("three deliveries over one connection, sent before any is answered, all reach the app", () =>
    trial(member, {}, async ({ endpoint, reached }) => {
      const sender = new RawSender(endpoint.port);
      for (const delivery of [signed(), signed(), signed()]) await deliver(sender, delivery);
      expect(await sender.answer()).toSatisfy(isSuccess);
      await until(() => reached.length === 3, "all three");
      sender.destroy();
    }));
}

/** For one mount of each family: senders that never stop, and a body that never begins. */
export function allSocketCases(member: Member, it: It): void {
  socketCases(member, it);
  endlessCases(member, it, UPLOADS.slice(1));
  incompleteCases(member, it, [["a body that never begins", { "content-length": "100" }, ""]]);
}

/** For every mount on a socket, if EXHAUSTIVE is set: uploads that fill the kernel's buffers. */
export function largeUploadCases(member: Member, it: It): void {
  for (const upload of UPLOADS) uploadCase(member, it, upload, "8 MiB", 8 * MEBIBYTE);
}

async function deliver(sender: RawSender, { headers, body }: ReturnType<typeof signed>): Promise<void> {
  await sender.head({ ...headers, "content-length": String(body.length) });
  await sender.write(body);
}

function uploadCase(
  member: Member,
  it: It,
  [what, headers, status, code, frame]: Upload,
  size: string,
  length: number,
): void {
  it(`a sender that writes its whole body before it reads gets its ${status} (${what}, ${size}), and the connection ends`, () =>
    trial(member, { maxBodyBytes: LIMIT }, async ({ endpoint, reached }) => {
      const sender = new RawSender(endpoint.port);
      await sender.head(headers(signed().headers, length));
      for (let left = length; left > 0; left -= MEBIBYTE)
        await sender.write(frame(Buffer.alloc(Math.min(left, MEBIBYTE), 0x20)));
      if (frame === asChunk) await sender.write("0\r\n\r\n");
      expectRefusal(await sender.answer(), status, code);
      sender.socket.end();
      await sender.closed;
      expect(reached).toEqual([]);
    }));
}

function endlessCases(member: Member, it: It, uploads: readonly Upload[]): void {
  for (const [what, headers, status, code, frame] of uploads) {
    it(`a sender that never stops writing is answered ${status} and disconnected (${what})`, () =>
      trial(member, { maxBodyBytes: LIMIT }, async ({ endpoint }) => {
        const sender = new RawSender(endpoint.port);
        await sender.head(headers(signed().headers, 1024 * MEBIBYTE));
        await sender.write(frame(Buffer.alloc(LIMIT + 1)));
        const answer = sender.answer();
        const trickle = setInterval(() => void sender.write(frame(Buffer.alloc(100))), 20);
        expectRefusal(await answer, status, code);
        await sender.closed.finally(() => clearInterval(trickle));
      }));
  }
}

function incompleteCases(member: Member, it: It, incomplete: readonly Incomplete[]): void {
  for (const [what, framing, piece] of incomplete) {
    it(`${what} is 408 after bodyTimeoutMs, and the connection ends`, () =>
      trial(member, { bodyTimeoutMs: 100 }, async ({ endpoint, reached }) => {
        const sender = new RawSender(endpoint.port);
        await sender.head({ ...signed().headers, ...framing });
        if (piece) await sender.write(piece);
        expectRefusal(await sender.answer(), 408, "body_timeout");
        await sender.closed;
        expect(reached).toEqual([]);
      }));

    it(`${what}, from a sender that disconnects, is reported as body_incomplete`, () =>
      trial(member, {}, async ({ endpoint, reached, reports }) => {
        const sender = new RawSender(endpoint.port);
        await sender.head({ ...signed().headers, ...framing });
        if (piece) await sender.write(piece);
        // Usually while the server reads; the report is the same at any other time.
        setTimeout(() => sender.destroy(), 20);
        await until(() => reports.length > 0, "the report");
        expect(reports[0]).toMatchObject({ outcome: "rejected", code: "body_incomplete" });
        expect(reached).toEqual([]);
      }));
  }
}

function disconnectCases(member: Member, it: It): void {
  it("if the sender disconnects and the app succeeds, the retry is a duplicate", () => {
    const left = gate();
    return trial(member, { work: () => left.opened.then(() => 204) }, async ({ endpoint, send, reached, reports }) => {
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await deliver(sender, delivery);
      await until(() => reached.length === 1, "the app");
      sender.destroy();
      await sender.closed;
      expectRefusal(await send(delivery), 503, "event_in_flight");
      left.open();
      await until(() => reports.some(({ outcome }) => outcome === "accepted"), "the settlement");
      expect(await send(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
      expect(reached).toHaveLength(1);
    });
  });

  it("if the sender disconnects and the app fails, the retry runs", () => {
    const left = gate();
    let fails = true;
    const work = () => left.opened.then(() => (fails ? 500 : 204));
    return trial(member, { work }, async ({ endpoint, send, reached, reports }) => {
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await deliver(sender, delivery);
      await until(() => reached.length === 1, "the app");
      sender.destroy();
      left.open();
      await until(() => reports.length === 1, "the settlement");
      fails = false;
      expect(await send(delivery)).toSatisfy(isSuccess);
      expect(reached).toHaveLength(2);
    });
  });
}
