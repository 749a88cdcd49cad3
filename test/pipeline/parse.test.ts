import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEvent } from "../../src/index.ts";
import { exhaustive, inFull, runs } from "../exhaustive.ts";
import { accepted, anEvent, bench, signed, verdict } from "./receiving.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const EXAMPLE = {
  event: "order.filled",
  timestamp: "2025-06-15T14:30:15Z",
  data: {
    id: "ord_x9y8z7a6b5c4d3e2",
    investor_id: "inv_01j9x8m2k7qpzwv3t5r6y8n0ab",
    filled_quantity: "10",
    average_price: "178.50",
  },
};

/** A day after the documented event. */
const now = () => Date.parse("2025-06-16T14:30:15Z");

async function received(body: object | string | Uint8Array): Promise<string> {
  return verdict(await bench({ now }).receiver.receive(signed(body)));
}

async function eventOf(body: object | string | Uint8Array) {
  return accepted(await bench({ now }).receiver.receive(signed(body))).event;
}

describe("the documented payload", () => {
  it("becomes an event with its data unchanged", async () => {
    expect(await eventOf(EXAMPLE)).toEqual({
      id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      type: "order.filled",
      domain: "order",
      action: "filled",
      occurredAt: new Date("2025-06-15T14:30:15Z"),
      data: EXAMPLE.data,
      payload: EXAMPLE,
    });
  });
});

describe("the encoding of the body", () => {
  it.each<[string, number[]]>([
    ["a byte that begins nothing", [0xff]],
    ["a lone continuation byte", [0x80]],
    ["a sequence that is cut off", [0xe2, 0x82]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a code point beyond the last", [0xf4, 0x90, 0x80, 0x80]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00]],
  ])("is refused with %s", async (_, wrong) => {
    const body = new Uint8Array([...utf8('{"event":"a.b","note":"'), ...wrong, ...utf8('"}')]);
    expect(await received(body)).toBe("payload_not_utf8");
    expect(() => parseEvent(body)).toThrow(expect.objectContaining({ code: "payload_not_utf8" }));
  });

  it("may begin with a byte order mark, which is dropped", async () => {
    const text = JSON.stringify(EXAMPLE);
    expect((await eventOf(`\ufeff${text}`)).payload).toEqual(EXAMPLE);
    expect(await received(`\ufeff\ufeff${text}`)).toBe("payload_not_json");
  });

  it("keeps every character", async () => {
    const note = "ünïcödé 😀 \u2028 \ufffd \u0000";
    expect((await eventOf({ ...EXAMPLE, note })).payload.note).toBe(note);
  });
});

describe("the JSON of the body", () => {
  it.each(["", " ", "{", "{}}", "event", "{'event':'a.b'}", "NaN", '{"event":"a.b",}', "\u0000"])(
    "is refused: %j",
    async (body) => {
      expect(await received(body)).toBe("payload_not_json");
    },
  );

  it.each(["null", "[]", '"x"', "0", "true", '[{"event":"a.b"}]', "{}"])("is no event: %s", async (body) => {
    expect(await received(body)).toBe("payload_not_event");
    expect(() => parseEvent(JSON.parse(body))).toThrow(expect.objectContaining({ code: "payload_not_event" }));
  });

  it.each(['""', "null", "7", "[]", "{}", '["order.filled"]'])("names no event with event %s", async (name) => {
    expect(await received(`{"event":${name}}`)).toBe("payload_not_event");
    expect(await received(`{"event":${name},"type":${name}}`)).toBe("payload_not_event");
    expect((await eventOf(`{"event":${name},"type":"order.filled"}`)).type).toBe("order.filled");
  });

  it("names its event by `event`, else by `type`", async () => {
    expect((await eventOf({ type: "order.filled" })).type).toBe("order.filled");
    expect((await eventOf({ event: "order.filled", type: "market" })).type).toBe("order.filled");
  });

  it("may be nested deeply", async () => {
    for (const depth of [64, 100_000]) {
      const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
      expect(await received(`{"event":"order.filled","event_id":"evt_1","data":${nested}}`)).toBe("accepted");
      expect(await received(nested)).toBe("payload_not_event");
    }
  });

  it("cannot reach a prototype", async () => {
    const { payload } = await eventOf(
      '{"event":"order.filled","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(await received('{"__proto__":{"event":"order.filled"}}')).toBe("payload_not_event");
  });

  it("is parsed by parseJson, whose error is payload_not_json", async () => {
    const text = '{"event":"order.filled","data":{"quantity":9007199254740993}}';
    const lossless = (json: string) =>
      JSON.parse(json, (_, value, context?: { source: string }) =>
        typeof value === "number" ? (context?.source ?? value) : value,
      );
    expect(accepted(await bench({ parseJson: lossless }).receiver.receive(signed(text))).event.data).toEqual({
      quantity: expect.anything(),
    });
    const parsed = { event: "made.up" };
    expect(accepted(await bench({ parseJson: () => parsed }).receiver.receive(signed(text))).event.payload).toBe(
      parsed,
    );
    const throwing = () => {
      throw new SyntaxError(`unexpected ${text}`);
    };
    const { receiver, lines } = bench({ parseJson: throwing });
    const outcome = await receiver.receive(signed(text));
    expect(verdict(outcome)).toBe("payload_not_json");
    expect(inspect([outcome, lines], { depth: 9 })).not.toContain("9007199254740993");
  });

  it("is refused with receiver_failed when parseJson returns a promise", async () => {
    const text = '{"event":"order.filled","data":{}}';
    for (const parseJson of [async (json: string) => JSON.parse(json), () => Promise.reject(new Error("no"))]) {
      const { receiver, lines } = bench({ parseJson });
      expect(verdict(await receiver.receive(signed(text)))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("parseJson") }]);
    }
  });
});

describe("the event's name", () => {
  it.each([
    ["order.filled", "order", "filled"],
    ["transfer.deposit.completed", "transfer", "deposit.completed"],
    ["ping", "ping", ""],
    [".x", "", "x"],
    ["a.", "a", ""],
    ["что.угодно", "что", "угодно"],
    ["toString", "toString", ""],
  ])("%s has its domain and action", async (type, domain, action) => {
    expect(await eventOf({ event: type })).toMatchObject({ type, domain, action });
  });
});

describe("the data", () => {
  it.each([{ id: "ord_1" }, "text", 7, null, [], [1, { a: [] }], false])("is passed on unchanged: %j", async (data) => {
    expect((await eventOf({ event: "order.filled", data })).data).toEqual(data);
  });

  it("is undefined when missing", async () => {
    expect((await eventOf({ event: "order.filled" })).data).toBeUndefined();
  });
});

describe("the time of an event", () => {
  it.each([
    [{ timestamp: "2025-06-15T14:30:15Z" }, "2025-06-15T14:30:15.000Z"],
    [{ timestamp: "2025-06-15t14:30:15z" }, "2025-06-15T14:30:15.000Z"],
    [{ timestamp: "2025-06-15 14:30:15Z" }, "2025-06-15T14:30:15.000Z"],
    [{ timestamp: "2025-06-15T14:30:15.123456789Z" }, "2025-06-15T14:30:15.123Z"],
    [{ timestamp: "2025-06-15T16:30:15+02:00" }, "2025-06-15T14:30:15.000Z"],
    [{ created_at: "2025-06-15T14:30:15Z" }, "2025-06-15T14:30:15.000Z"],
    [{ created: 1749997815 }, "2025-06-15T14:30:15.000Z"],
    [{ created: 0 }, "1970-01-01T00:00:00.000Z"],
    [{ created: 1749997815.5 }, "2025-06-15T14:30:15.500Z"],
    [{ timestamp: "2025-06-15T14:30:15Z", created_at: "2020-01-01T00:00:00Z", created: 1 }, "2025-06-15T14:30:15.000Z"],
    [{ timestamp: "yesterday", created_at: "2025-06-15T14:30:15Z", created: 1 }, "2025-06-15T14:30:15.000Z"],
    [{ timestamp: 5, created_at: null, created: 1749997815 }, "2025-06-15T14:30:15.000Z"],
  ])("is read from %j", (fields, expected) => {
    expect(parseEvent({ event: "order.filled", data: {}, ...fields }).occurredAt?.toISOString()).toBe(expected);
  });

  it.each([
    {},
    { timestamp: "" },
    { timestamp: "2025-06-15" },
    { timestamp: "2025-06-15T14:30:15" },
    { timestamp: "2025-13-15T14:30:15Z" },
    { timestamp: "2025-06-15T25:30:15Z" },
    { timestamp: "Sun, 15 Jun 2025 14:30:15 GMT" },
    { timestamp: `2025-06-15T14:30:15.${"0".repeat(100)}Z` },
    { timestamp: 1749997815 },
    { created: "1749997815" },
    { created: 1e300 },
    { created: null },
    { created: 1749997815000 },
    { data: { created_at: "2025-06-15T14:30:15Z" } },
  ])("is unknown from %j", (fields) => {
    expect(parseEvent({ event: "order.filled", data: {}, ...fields }).occurredAt).toBeUndefined();
  });

  it.each([undefined, null, "ord_1", 7])("is read from timestamp alone when data is %j", (data) => {
    const resource = {
      event: "order.filled",
      id: "ord_1",
      created_at: "2020-01-01T00:00:00Z",
      created: 1577836800,
      data,
    };
    expect(parseEvent(resource).occurredAt).toBeUndefined();
    const timestamp = "2025-06-15T14:30:15Z";
    expect(parseEvent({ ...resource, timestamp }).occurredAt).toEqual(new Date(timestamp));
  });

  const happened = (timestamp: string) => parseEvent({ event: "order.filled", timestamp }).occurredAt?.getTime();
  const asDateSays = (timestamp: string) => new Date(timestamp).getTime();

  it("agrees with Date for Bluum's format, in every year", inFull, () => {
    for (let day = 0; day < 3_000_000; day += exhaustive ? 97 : 4_999) {
      const timestamp = new Date((day - 719_528) * 86_400_000 + day * 977).toISOString().replace(/\.\d+/, "");
      expect(happened(timestamp)).toBe(asDateSays(timestamp));
    }
    for (let year = 0; year < 10_000; year += exhaustive ? 1 : 50) {
      const timestamps = ["01-01", "02-28", "03-01", "12-31"].map(
        (day) => `${String(year).padStart(4, "0")}-${day}T23:59:59Z`,
      );
      expect(timestamps.map(happened)).toEqual(timestamps.map(asDateSays));
    }
  });

  it("agrees with Date, or is unknown, for any twenty characters", inFull, () => {
    const place = fc.constantFrom(..."0123456789-:TZz. +/x");
    const change = fc.tuple(fc.nat({ max: 19 }), place);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const characters = [..."2024-02-29T14:30:15Z"];
        for (const [at, character] of changes) characters[at] = character;
        const timestamp = characters.join("");
        const found = happened(timestamp);
        if (found !== undefined) expect(found).toBe(asDateSays(timestamp.toUpperCase().replace(" ", "T")));
        else
          expect(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timestamp) && !Number.isNaN(asDateSays(timestamp))).toBe(
            false,
          );
      }),
      { numRuns: runs(300, 20_000) },
    );
  });
});

describe("a body of more than a kilobyte", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const texts: [string, string][] = [
    ["ASCII", "x"],
    ["the last of ASCII", "\x7f"],
    ["beyond ASCII", "é"],
    ["beyond the first plane", "😀"],
  ];
  it.each(texts)("keeps every character: %s", (_, character) => {
    for (const [before, after] of [
      [0, 2_000],
      [2_000, 0],
      [1_000, 1_000],
    ] as const) {
      const note = `${"a".repeat(before)}${character}${"z".repeat(after)}`;
      const bytes = new TextEncoder().encode(JSON.stringify({ event: "order.filled", note }));
      for (const body of [bytes, Buffer.from(bytes), Buffer.concat([Buffer.alloc(7), bytes]).subarray(7)]) {
        expect(parseEvent(body).payload).toEqual(JSON.parse(decoder.decode(bytes)));
      }
    }
  });

  it("is refused with one invalid byte, and may begin with a BOM", () => {
    const json = new TextEncoder().encode(JSON.stringify({ event: "order.filled", note: "a".repeat(2_000) }));
    const broken = Uint8Array.from(json);
    broken[1_500] = 0xff;
    expect(() => parseEvent(broken)).toThrow(expect.objectContaining({ code: "payload_not_utf8" }));
    expect(parseEvent(Uint8Array.of(0xef, 0xbb, 0xbf, ...json)).type).toBe("order.filled");
  });
});

describe("parseEvent", () => {
  it("makes the receiver's event from the payload, its bytes or the id", async () => {
    for (const payload of [anEvent(), EXAMPLE, { type: "a.b", id: "evt_7" }]) {
      const event = await eventOf(payload);
      expect(parseEvent(event.payload, { id: event.id })).toEqual(event);
      expect(parseEvent(utf8(JSON.stringify(payload)))).toEqual(event);
      expect(parseEvent(payload)).toEqual(event);
    }
  });

  it("reads the id from the payload, or hashes its text", () => {
    expect(parseEvent({ event: "order.filled", event_id: "evt_1" }).id).toBe("evt_1");
    expect(parseEvent({ event: "order.filled" }).id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("refuses a payload that is no event", () => {
    for (const wrong of [undefined, null, 7, "{}", [], {}, () => {}]) {
      expect(() => parseEvent(wrong)).toThrow(expect.objectContaining({ code: "payload_not_event" }));
    }
    expect(() => parseEvent(utf8("{"))).toThrow(expect.objectContaining({ code: "payload_not_json" }));
  });

  it("refuses a payload with neither an id nor a JSON text", () => {
    const circular: Record<string, unknown> = { event: "order.filled" };
    circular.self = circular;
    for (const wrong of [
      circular,
      { event: "order.filled", big: 1n },
      { event: "order.filled", toJSON: () => undefined },
    ]) {
      expect(() => parseEvent(wrong)).toThrow(expect.objectContaining({ code: "payload_not_json" }));
    }
    expect(parseEvent({ ...circular, event_id: "evt_1" }).id).toBe("evt_1");
  });

  it("throws only WebhookErrors for any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseEvent(value);
        } catch (error) {
          expect(error).toMatchObject({ code: "payload_not_event" });
        }
      }),
    );
  });
});
