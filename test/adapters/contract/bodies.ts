import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { event, expectRefusal, isSuccess, MARK, type Member, signed, trial } from "./trial.ts";

const DAY_MS = 24 * 60 * 60_000;
const LIMIT = 2_000;

/** Bodies that are genuine and yet no event. */
const REFUSED: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["of 0 bytes", "", "payload_not_json"],
  ["of blanks", "  \n", "payload_not_json"],
  ["that is null", "null", "payload_not_event"],
  ["that is []", "[]", "payload_not_event"],
  ['that is "x"', '"x"', "payload_not_event"],
  ["that is a number", "7", "payload_not_event"],
  ["that is {}", "{}", "payload_not_event"],
  ["whose event is a number", '{"event":7}', "payload_not_event"],
  ["cut off in the middle", '{"event":"order.fil', "payload_not_json"],
  [
    "in invalid UTF-8",
    Buffer.concat([Buffer.from('{"event":"order.filled","data":"'), Buffer.of(0xff), Buffer.from('"}')]),
    "payload_not_utf8",
  ],
  ["in UTF-16", Buffer.from('{"event":"order.filled"}', "utf16le"), "payload_not_json"],
  ["100,000 levels deep and cut off", `{"event":"order.filled","data":${"[".repeat(100_000)}`, "payload_not_json"],
];

/** Bodies that are unusual and yet events: they must reach the app. */
const ACCEPTED: readonly (readonly [string, () => string | Uint8Array])[] = [
  ["with a BOM", () => `\uFEFF${JSON.stringify(event())}`],
  ["64 levels deep", () => nested(64)],
  ["100,000 levels deep", () => nested(100_000)],
  [
    "with escapes, spaces and 10.00",
    () => `{ "event" : "order.filled" , "data":{"amount":10.00,"note":"\\u00e9$$ $& ","1":1,"0":0} }`,
  ],
  ["of a type that nobody knows", () => JSON.stringify(event({ event: "compliance.review.opened" }))],
  ["with an event's name of 10 kB", () => JSON.stringify(event({ event: `order.${"x".repeat(10_000)}` }))],
];

/** Ids that could confuse a key. */
const IDS: readonly (readonly [string, unknown])[] = [
  ["empty", ""],
  ["a number", 7],
  ["an object", { a: 1 }],
  ["of 10 kB", "x".repeat(10_000)],
  ["with a colon", "evt:1"],
  ["with a slash and a hash", "evt/1#2"],
  ["with a NUL", "evt\u00001"],
  ["a lone surrogate", "evt_\ud800"],
  ["__proto__", "__proto__"],
];

export function bodyCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
  for (const [what, body, code] of REFUSED) {
    it(`a genuine body ${what} is ${code}`, () =>
      trial(member, {}, async ({ send, reached }) => {
        expectRefusal(await send(signed(body)), 400, code);
        expect(reached).toEqual([]);
      }));
  }

  for (const [what, body] of ACCEPTED) {
    it(`an event ${what} is accepted, with its exact bytes`, () =>
      trial(member, {}, async ({ send, contexts }) => {
        const bytes = body();
        expect(await send(signed(bytes))).toSatisfy(isSuccess);
        expect(Buffer.from(contexts[0]?.rawBody ?? [])).toEqual(Buffer.from(bytes as string));
      }));
  }

  it("__proto__ and constructor in a payload are plain keys and change no other object", () =>
    trial(member, {}, async ({ send, reached }) => {
      const body =
        '{"event":"order.filled","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"data":{"__proto__":{"polluted":1}}}';
      expect(await send(signed(body))).toSatisfy(isSuccess);
      expect(Object.hasOwn(reached[0]?.payload ?? {}, "__proto__")).toBe(true);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }));

  it("numbers beyond 2^53 are exact in the raw body", () =>
    trial(member, {}, async ({ send, contexts }) => {
      expect(await send(signed('{"event":"order.filled","data":{"n":9007199254740993}}'))).toSatisfy(isSuccess);
      expect(Buffer.from(contexts[0]?.rawBody ?? []).toString()).toContain("9007199254740993");
    }));

  for (const [what, id] of IDS) {
    it(`an event whose id is ${what} runs once, under a key that any store and queue can hold`, () =>
      trial(member, {}, async ({ send, reached, contexts }) => {
        const delivery = signed(event({ id }));
        expect(await send(delivery)).toSatisfy(isSuccess);
        expect(await send(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
        expect(reached).toHaveLength(1);
        expect(contexts[0]?.eventKey).toMatch(/^[!-9;-~]{1,155}$/);
      }));
  }

  it("where a payload has both event and type, event names it", () =>
    trial(member, {}, async ({ send, reached }) => {
      await send(signed(event({ type: "order.rejected" })));
      expect(reached[0]?.type).toBe("order.filled");
    }));

  it("an event that happened 8 days ago is refused under a scheme that signs no time", () =>
    trial(member, {}, async ({ send, reached }) => {
      const timestamp = new Date(Date.now() - 8 * DAY_MS).toISOString();
      expectRefusal(await send(signed(event({ timestamp }))), 400, "event_too_old");
      expect(reached).toEqual([]);
    }));

  for (const chunkBytes of [undefined, 100, 1]) {
    const how = chunkBytes === undefined ? "with a Content-Length" : `in chunks of ${chunkBytes} bytes`;
    it(`a body of exactly the limit is accepted, ${how}`, () =>
      trial(member, { maxBodyBytes: LIMIT }, async ({ send }) => {
        expect(await send({ ...signed(ofLength(LIMIT)), ...(chunkBytes && { chunkBytes }) })).toSatisfy(isSuccess);
      }));
    it(`a body one byte over the limit is 413, ${how}`, () =>
      trial(member, { maxBodyBytes: LIMIT }, async ({ send, reached }) => {
        expectRefusal(
          await send({ ...signed(ofLength(LIMIT + 1)), ...(chunkBytes && { chunkBytes }) }),
          413,
          "body_too_large",
        );
        expect(reached).toEqual([]);
      }));
  }

  it("a body with Content-Encoding identity is accepted", () =>
    trial(member, {}, async ({ send }) => {
      const delivery = signed();
      expect(await send({ ...delivery, headers: { ...delivery.headers, "content-encoding": "identity" } })).toSatisfy(
        isSuccess,
      );
    }));

  for (const encoding of ["gzip", "br", "x-unknown", "identity, gzip"]) {
    it(`a body with Content-Encoding ${encoding} is 415`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const body = new Uint8Array(gzipSync(JSON.stringify(event())));
        const delivery = signed(body);
        expectRefusal(
          await send({ ...delivery, headers: { ...delivery.headers, "content-encoding": encoding } }),
          415,
          "content_encoding_unsupported",
        );
        expect(reached).toEqual([]);
      }));
  }

  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
    it(`${method} is 405 and names POST`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const delivery = signed();
        const answer = await send(
          method === "GET" || method === "HEAD" ? { method, headers: delivery.headers } : { ...delivery, method },
        );
        if (method === "HEAD") expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } });
        else expectRefusal(answer, 405, "method_not_allowed");
        expect(reached).toEqual([]);
      }));
  }
}

function nested(levels: number): string {
  return `{"event":"order.filled","note":"${MARK}","data":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}

function ofLength(bytes: number): string {
  const body = JSON.stringify(event({ padding: "" }));
  return body.replace('"padding":""', `"padding":"${"x".repeat(bytes - body.length)}"`);
}
