import { expect } from "vitest";
import { event, expectRefusal, type It, isSuccess, MARK, type Member, signed, trial } from "./trial.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Genuine bodies that are no events. */
const REFUSED: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["of blanks", "  \n", "payload_not_json"],
  ["that is null", "null", "payload_not_event"],
  ["that is []", "[]", "payload_not_event"],
  ['that is "x"', '"x"', "payload_not_event"],
  ["that is a number", "7", "payload_not_event"],
  ["that is {}", "{}", "payload_not_event"],
  ["whose event is a number", '{"event":7}', "payload_not_event"],
  ["cut off in the middle", '{"event":"order.fil', "payload_not_json"],
  ["in UTF-16", Buffer.from('{"event":"order.filled"}', "utf16le"), "payload_not_json"],
  ["100,000 levels deep and cut off", `{"event":"order.filled","data":${"[".repeat(100_000)}`, "payload_not_json"],
];

/** Unusual bodies that are events: they must reach the app. */
const ACCEPTED: readonly (readonly [string, () => string])[] = [
  ["64 levels deep", () => nested(64)],
  ["100,000 levels deep", () => nested(100_000)],
  [
    "with escapes, spaces and 10.00",
    () => `{ "event" : "order.filled" , "data":{"amount":10.00,"note":"\\u00e9$$& ","1":1,"0":0} }`,
  ],
  ["with an event name of 10 kB", () => JSON.stringify(event({ event: `order.${"x".repeat(10_000)}` }))],
  ["of an unknown type", () => JSON.stringify(event({ event: "compliance.review.opened" }))],
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

/** For one mount of each family: the contents that a genuine body may have. */
export function payloadCases(member: Member, it: It): void {
  refusedCases(member, it);
  acceptedCases(member, it);
  idCases(member, it);

  it("the field event names the event, even beside the field type", () =>
    trial(member, {}, async ({ send, reached }) => {
      await send(signed(event({ type: "order.rejected" })));
      expect(reached[0]?.type).toBe("order.filled");
    }));

  it("an event from 8 days ago is refused under a scheme that signs no time", () =>
    trial(member, {}, async ({ send, reached }) => {
      const timestamp = new Date(Date.now() - 8 * DAY_MS).toISOString();
      expectRefusal(await send(signed(event({ timestamp }))), 400, "event_too_old");
      expect(reached).toEqual([]);
    }));
}

function refusedCases(member: Member, it: It): void {
  for (const [what, body, code] of REFUSED) {
    it(`a genuine body ${what} is ${code}`, () =>
      trial(member, {}, async ({ send, reached }) => {
        expectRefusal(await send(signed(body)), 400, code);
        expect(reached).toEqual([]);
      }));
  }
}

function acceptedCases(member: Member, it: It): void {
  for (const [what, body] of ACCEPTED) {
    it(`an event ${what} is accepted, with its exact bytes`, () =>
      trial(member, {}, async ({ send, contexts }) => {
        const text = body();
        expect(await send(signed(text))).toSatisfy(isSuccess);
        expect(Buffer.from(contexts[0]?.rawBody ?? []).toString()).toBe(text);
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
}

function idCases(member: Member, it: It): void {
  for (const [what, id] of IDS) {
    it(`an event whose id is ${what} runs once, under a key of printable ASCII`, () =>
      trial(member, {}, async ({ send, reached, contexts }) => {
        const delivery = signed(event({ id }));
        expect(await send(delivery)).toSatisfy(isSuccess);
        expect(await send(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
        expect(reached).toHaveLength(1);
        expect(contexts[0]?.eventKey).toMatch(/^[!-9;-~]{1,155}$/);
      }));
  }
}

function nested(levels: number): string {
  return `{"event":"order.filled","note":"${MARK}","data":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}
