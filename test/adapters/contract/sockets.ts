import { expect } from "vitest";
import { asChunk, RawSender } from "./sender.ts";
import { event, expectRefusal, gate, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const MEBIBYTE = 1024 * 1024;
const LIMIT = 2_000;

type Headers = Record<string, string>;
type Frame = (piece: Uint8Array) => Uint8Array;

/** Hostile and unlucky senders, who hold the socket in their own hands. */
export function socketCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
  // The first refusal is made without a look at the body, the second by its length, the third while it is read.
  const uploads: readonly (readonly [string, (headers: Headers, length: number) => Headers, number, string, Frame])[] =
    [
      ["unsigned", (_, length) => ({ "content-length": String(length) }), 401, "signature_missing", (piece) => piece],
      [
        "too large by its Content-Length",
        (headers, length) => ({ ...headers, "content-length": String(length) }),
        413,
        "body_too_large",
        (piece) => piece,
      ],
      [
        "too large, in chunks",
        (headers) => ({ ...headers, "transfer-encoding": "chunked" }),
        413,
        "body_too_large",
        asChunk,
      ],
    ];
  for (const [what, headers, status, code, frame] of uploads) {
    for (const [size, length] of [
      ["one byte over the limit", LIMIT + 1],
      ["8 MiB", 8 * MEBIBYTE],
    ] as const) {
      it(`a sender that writes the whole of a body ${what}, ${size}, before it reads still gets its ${status}, and the connection ends`, () =>
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

    it(`a sender that goes on and on with a body ${what} is answered ${status} and cut off`, () =>
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

  it("a Content-Length that is less than what comes cuts the body off: its signature is wrong, and the rest is no request", () =>
    trial(member, {}, async ({ endpoint, reached }) => {
      const { headers, body } = signed(JSON.stringify(event()));
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...headers, "content-length": "10" });
      await sender.write(body as string);
      // The server's own answer to the rest may overtake ours.
      expect([400, 401]).toContain((await sender.answer()).status);
      await sender.closed;
      expect(reached).toEqual([]);
    }));

  for (const [what, framing, piece] of [
    ["a Content-Length that is more than what comes", { "content-length": "100" }, '{"event":"order.filled"}'],
    ["chunks that stop half-way", { "transfer-encoding": "chunked" }, '40\r\n{"event":"order.filled"'],
    ["a body of which nothing comes", { "content-length": "100" }, ""],
  ] as const) {
    it(`${what}: 408 after bodyTimeoutMs, and the connection ends`, () =>
      trial(member, { bodyTimeoutMs: 100 }, async ({ endpoint, reached }) => {
        const sender = new RawSender(endpoint.port);
        await sender.head({ ...signed().headers, ...framing });
        if (piece) await sender.write(piece);
        expectRefusal(await sender.answer(), 408, "body_timeout");
        await sender.closed;
        expect(reached).toEqual([]);
      }));

    it(`${what}, from a sender that hangs up: reported as body_incomplete`, () =>
      trial(member, {}, async ({ endpoint, reached, reports }) => {
        const sender = new RawSender(endpoint.port);
        await sender.head({ ...signed().headers, ...framing });
        if (piece) await sender.write(piece);
        // Long enough for the server to be in the middle of it; the case is as good should it not be.
        setTimeout(() => sender.destroy(), 20);
        await until(() => reports.length > 0, "the report");
        expect(reports[0]).toMatchObject({ outcome: "rejected", code: "body_incomplete" });
        expect(reached).toEqual([]);
      }));
  }

  it("a body that trickles in a byte at a time is 408 once bodyTimeoutMs is over, however lively", () =>
    trial(member, { bodyTimeoutMs: 200 }, async ({ endpoint }) => {
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...signed().headers, "content-length": "100000" });
      const trickle = setInterval(() => void sender.write("x"), 10);
      expectRefusal(await sender.answer(), 408, "body_timeout");
      await sender.closed.finally(() => clearInterval(trickle));
    }));

  it("a sender that hangs up while the app works changes nothing: the result counts, and the retry is a duplicate", () => {
    const left = gate();
    return trial(member, { work: () => left.opened.then(() => 204) }, async ({ endpoint, send, reached, reports }) => {
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
      await sender.write(delivery.body);
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

  it("a sender that hangs up while the app works, and then the app fails: the retry runs", () => {
    const left = gate();
    let fails = true;
    return trial(
      member,
      { work: () => left.opened.then(() => (fails ? 500 : 204)) },
      async ({ endpoint, send, reached, reports }) => {
        const delivery = signed();
        const sender = new RawSender(endpoint.port);
        await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
        await sender.write(delivery.body);
        await until(() => reached.length === 1, "the app");
        sender.destroy();
        left.open();
        await until(() => reports.length === 1, "the settlement");
        fails = false;
        expect(await send(delivery)).toSatisfy(isSuccess);
        expect(reached).toHaveLength(2);
      },
    );
  });

  it("two deliveries over one connection, and a third beside them before the second is answered, keep apart", () =>
    trial(member, {}, async ({ endpoint, reached }) => {
      const sender = new RawSender(endpoint.port);
      const deliveries = [signed(), signed(), signed()];
      for (const { headers, body } of deliveries) {
        await sender.head({ ...headers, "content-length": String(body.length) });
        await sender.write(body);
      }
      expect(await sender.answer()).toSatisfy(isSuccess);
      await until(() => reached.length === 3, "all three");
      sender.destroy();
    }));
}
