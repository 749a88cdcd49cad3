import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventIdField } from "../../src/bluum/envelope.ts";
import type { EventIdOption } from "../../src/index.ts";
import { eventKey, handlerKey, identify, storeKey } from "../../src/pipeline/identity.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { inFull, runs } from "../exhaustive.ts";
import { character } from "../unicode.ts";
import { accepted, bench, signed, verdict } from "./receiving.ts";

const PREFIXES = ["ord_", "dep_", "wd_", "doc_", "inv_", "wh_", "fs_", "pos_", "acc_", "wal_"];
const bytesOf = (payload: object) => new TextEncoder().encode(JSON.stringify(payload));
const hashOf = (payload: object) => `sha256:${createHash("sha256").update(bytesOf(payload)).digest("hex")}`;

function identityOf(payload: Record<string, unknown>, more: { messageId?: string; option?: EventIdOption } = {}) {
  const verified = { payload, type: "order.filled", rawBody: bytesOf(payload), headers: () => ({}) };
  return identify({ ...verified, messageId: more.messageId }, more.option);
}

describe("where an event's id comes from", () => {
  const all = { event: "order.filled", event_id: "evt_a", eventId: "evt_b", id: "evt_c", data: {} };

  it.each<[string, string, Record<string, unknown>, object]>([
    ["the option", "option", all, { messageId: "msg_1", option: () => "from-option" }],
    ["the signed message id", "scheme", all, { messageId: "msg_1" }],
    ["event_id", "payload", all, {}],
    ["eventId", "payload", { ...all, event_id: undefined }, {}],
    ["id", "payload", { ...all, event_id: "", eventId: "" }, {}],
    ["the hash of the body", "body_hash", { event: "order.filled" }, {}],
  ])("is %s, reported as %s", (source, identifiedBy, payload, more) => {
    const ids: Record<string, string> = {
      "the option": "from-option",
      "the signed message id": "msg_1",
      event_id: "evt_a",
      eventId: "evt_b",
      id: "evt_c",
      "the hash of the body": hashOf({ event: "order.filled" }),
    };
    expect(identityOf(payload, more)).toEqual({ id: ids[source], identifiedBy });
  });

  it.each([undefined, ""])("is found in the default order when the option returns %j", (answer) => {
    expect(identityOf(all, { option: () => answer })).toEqual({ id: "evt_a", identifiedBy: "payload" });
    expect(identityOf(all, { option: () => answer, messageId: "msg_1" })).toEqual({
      id: "msg_1",
      identifiedBy: "scheme",
    });
  });

  it.each([0, 7, null, true, {}, [], ["evt_1"]])("is never %j, which is not a string", (value) => {
    const payload = { event: "order.filled", event_id: value, eventId: value, id: value };
    expect(identityOf(payload)).toEqual({ id: hashOf(payload), identifiedBy: "body_hash" });
  });

  it("is not read from headers that are not signed", async () => {
    const { receiver } = bench();
    const delivery = signed({ event: "order.filled" });
    const { context } = accepted(
      await receiver.receive({
        ...delivery,
        headers: { ...delivery.headers, "webhook-id": "msg_1", "x-event-id": "x" },
      }),
    );
    expect(context.identifiedBy).toBe("body_hash");
  });

  it("is the same for identical bytes, unless the option tells them apart", async () => {
    const deliver = async (options: object) => {
      const { receiver } = bench(options);
      await accepted(await receiver.receive(signed({ event: "order.filled" }))).settle("processed");
      return verdict(await receiver.receive(signed({ event: "order.filled" })));
    };
    let count = 0;
    expect(await deliver({})).toBe("duplicate");
    expect(await deliver({ eventId: () => `n-${count++}` })).toBe("accepted");
  });

  it("is the message id that Standard Webhooks signs", async () => {
    const scheme = standardWebhooksSignature();
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const { receiver } = bench({ scheme, secret });
    const deliver = (messageId: string, data: string) =>
      receiver.receive(signed({ event: "order.filled", data }, { scheme, secret, messageId }));
    const first = accepted(await deliver("msg_1", "a"));
    expect(first.context).toMatchObject({ eventId: "msg_1", identifiedBy: "scheme" });
    await first.settle("processed");
    expect(verdict(await deliver("msg_1", "other bytes"))).toBe("duplicate");
    expect(verdict(await deliver("msg_2", "a"))).toBe("accepted");
  });
});

describe("the eventId option", () => {
  it("gets the verified delivery", async () => {
    let seen: unknown;
    const eventId: EventIdOption = (verified) => {
      seen = verified;
      return "chosen";
    };
    const payload = { event: "order.filled", data: { id: "ord_1" } };
    const delivery = signed(payload);
    const { context } = accepted(await bench({ eventId }).receiver.receive(delivery));
    expect(seen).toMatchObject({ payload, type: "order.filled", rawBody: delivery.body });
    expect(context).toMatchObject({ eventId: "chosen", eventKey: "order.filled/chosen", identifiedBy: "option" });
  });

  const failing: [string, (verified: unknown) => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("no id");
      },
    ],
    ["returns a number", () => 7],
    ["returns null", () => null],
    ["is asynchronous", async () => "evt_1"],
    [
      "rejects",
      async () => {
        throw new Error("no id");
      },
    ],
  ];
  it.each(failing)("that %s is answered 500, and the event is retried", async (_, eventId) => {
    const { receiver, lines } = bench({ eventId: eventId as EventIdOption });
    expect(await receiver.handle(signed())).toMatchObject({
      status: 500,
      body: '{"error":{"code":"event_id_failed"}}',
    });
    expect(lines).toMatchObject([{ level: "error" }]);
  });
});

describe("an envelope's id that belongs to a resource", () => {
  it.each(PREFIXES)("is not the event's id when it begins with %s", (prefix) => {
    for (const field of ["id", "event_id", "eventId"]) {
      const id = `${prefix}x9y8`;
      expect(identityOf({ event: "order.filled", [field]: id }).identifiedBy).toBe("body_hash");
      expect(identityOf({ event: "order.filled", [field]: id.toUpperCase() }).identifiedBy).toBe("body_hash");
    }
    expect(identityOf({ event: "order.filled", event_id: `${prefix}1`, eventId: "evt_1" }).id).toBe("evt_1");
    expect(identityOf({ event: "order.filled", id: `evt_${prefix}1`, data: {} }).identifiedBy).toBe("payload");
  });

  it.each(["order", "deposit", "webhook", ""])("is not the event's id when `object` is %j", (object) => {
    expect(identityOf({ event: "order.filled", id: "evt_9f3a", object, data: {} }).identifiedBy).toBe("body_hash");
  });

  it.each([
    { id: "evt_9f3a" },
    { id: "msg_9f3a" },
    { id: "evt_9f3a", object: "event" },
    { id: "evt_9f3a", object: "webhook.event" },
    { id: "9f3a", object: "event" },
    { id: "evt_9f3a", data: undefined },
  ])("is not assumed: %j has an event's id", (fields) => {
    expect(identityOf({ event: "order.filled", data: { id: "ord_1" }, ...fields })).toEqual({
      id: fields.id,
      identifiedBy: "payload",
    });
  });

  it.each([
    { id: "9f3a" },
    { id: "trd_9f3a" },
    { id: "evt9f3a" },
    { id: "x_evt_9f3a" },
    { id: "9f3a", object: "webhook.event" },
  ])("is used as the event's id: %j", (fields) => {
    expect(identityOf({ event: "order.filled", data: { id: "ord_1" }, ...fields }).identifiedBy).toBe("body_hash");
  });
});

describe("an id that the data repeats", () => {
  const nested = (depth: number, value: unknown): unknown => {
    let inner = value;
    for (let level = 0; level < depth; level += 1) inner = level % 2 === 0 ? { inner } : [inner];
    return inner;
  };

  it.each<[string, string, unknown]>([
    ["data itself", "evt_9f3a", "evt_9f3a"],
    ["data itself, a number", "77", 77],
    ["one level deep", "evt_9f3a", { id: "evt_9f3a" }],
    ["one level deep under any name", "evt_9f3a", { order_ref: "evt_9f3a" }],
    ["two levels deep", "evt_9f3a", { order: { id: "evt_9f3a" } }],
    ["three levels deep", "evt_9f3a", { a: { b: { c: "evt_9f3a" } } }],
    ["in a list", "evt_9f3a", ["x", "evt_9f3a"]],
    ["in a list of objects", "evt_9f3a", [{ id: "1" }, { id: "evt_9f3a" }]],
    ["a hundred thousand levels deep", "evt_9f3a", nested(100_000, "evt_9f3a")],
    ["in another case", "evt_9F3A", { id: "EVT_9f3a" }],
    ["as a number", "77", { id: 77 }],
    ["as a number, written otherwise", "0077.0", { id: 77 }],
    ["as a number too large to be exact", "9007199254740993", JSON.parse('{"id":9007199254740993}')],
    ["as a number of a parser of one's own", "9007199254740993", { id: 9007199254740993n }],
    ["as a boolean", "true", { id: true }],
  ])("is not the event's id: %s", (_, id, data) => {
    for (const fields of [{ event_id: id }, { eventId: id }, { id }, { id, object: "event" }])
      expect(eventIdField({ event: "order.filled", ...fields, data })).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["nothing", {}],
    ["another id", { id: "ord_1" }],
    ["a part of it", { id: "evt_9f3" }],
    ["the same as a key", { evt_9f3a: null }],
    ["a hundred thousand levels", nested(100_000, "x")],
    ["itself", circular()],
  ])("is the event's id when the data holds %s", (_, data) => {
    for (const field of ["event_id", "eventId", "id"])
      expect(eventIdField({ event: "order.filled", [field]: "evt_9f3a", data })).toBe("evt_9f3a");
  });

  it("is not the event's id when the resource is at the top level", () => {
    for (const fields of [
      { id: 77 },
      { id: "77" },
      { order_id: "77" },
      { order: { id: 77 } },
      { id: "77", data: null },
    ])
      expect(identityOf({ event: "order.filled", event_id: "77", ...fields }).identifiedBy).toBe("body_hash");
    expect(identityOf({ event: "order.filled", event_id: "evt_1", eventId: "evt_1", id: "evt_1" }).id).toBe("evt_1");
  });

  it("leaves the next field to be read", () => {
    const data = { order_id: "77" };
    expect(eventIdField({ event: "order.filled", event_id: "77", eventId: "evt_1", data })).toBe("evt_1");
    expect(eventIdField({ event: "order.filled", event_id: "77", id: "evt_1", data })).toBe("evt_1");
  });
});

function circular(): object {
  const one: Record<string, unknown> = { list: [] };
  one.self = one;
  return one;
}

describe("events of one order", () => {
  const orderId = fc.oneof(
    fc.uuid(),
    fc.uuid().map((id) => `ord_${id}`),
    fc.uuid().map((id) => `trd_${id}`),
    fc.nat().map(String),
    fc.string({ minLength: 1 }),
  );
  /** The same id in another form: in another case, or as a number. */
  const rewritten = (id: string) => (/^\d+$/.test(id) ? Number(id) : id.toUpperCase());
  const shape = fc.constantFrom<(id: string, fill: object) => Record<string, unknown>>(
    (id, fill) => ({ event: "order.partially_filled", data: { id, ...fill } }),
    (id, fill) => ({ event: "order.partially_filled", id, data: { id, ...fill } }),
    (id, fill) => ({ type: "order.partially_filled", id, data: { object: { id, ...fill } } }),
    (id, fill) => ({ type: "order.partially_filled", id, data: { order: { order_id: id, ...fill } } }),
    (id, fill) => ({ type: "order.partially_filled", id, object: "order", ...fill }),
    (id, fill) => ({ type: "order.partially_filled", id, object: "order", livemode: true, data: fill }),
    (id, fill) => ({ event: "order.partially_filled", id, data: [{ id, ...fill }] }),
    (id, fill) => ({ event: "order.partially_filled", id, data: id, ...fill }),
    (id, fill) => ({ event: "order.partially_filled", id: `ord_${id}`, ...fill }),
    (id, fill) => ({ event: "order.partially_filled", event_id: `ord_${id}`, data: { ...fill } }),
    (id, fill) => ({ event: "order.partially_filled", event_id: "", id, data: { id, ...fill } }),
    (id, fill) => ({ event: "order.partially_filled", event_id: id, data: { id, ...fill } }),
    (id, fill) => ({ type: "order.partially_filled", id, ...fill }),
    (id, fill) => ({ type: "order.partially_filled", id, data: fill }),
    (id, fill) => ({ type: "order.partially_filled", id, data: { id: rewritten(id), ...fill } }),
    (id, fill) => ({ type: "order.partially_filled", event_id: id, data: { order_id: id, ...fill } }),
    (id, fill) => ({
      type: "order.partially_filled",
      eventId: id,
      data: { a: [{ b: { id: rewritten(id) } }], ...fill },
    }),
    (id, fill) => ({ type: "order.partially_filled", object: "event", id, data: { a: { b: { c: { id } } }, ...fill } }),
    (id, fill) => ({ type: "order.partially_filled", event_id: id, order_id: rewritten(id), ...fill }),
  );

  it("have different ids in any envelope, even within one second", inFull, () => {
    const timestamp = "2025-06-15T14:30:15Z";
    fc.assert(
      fc.property(shape, orderId, fc.nat(1_000), fc.nat(1_000), (envelope, id, filled, more) => {
        const [one, other] = [filled, filled + more + 1].map((quantity) =>
          envelope(id, { filled_quantity: String(quantity), timestamp }),
        );
        expect(identityOf(one ?? {}).id).not.toBe(identityOf(other ?? {}).id);
        expect(identityOf(one ?? {})).toEqual(identityOf({ ...one }));
      }),
      { numRuns: runs(100, 5_000) },
    );
  });

  it("are told apart by type when they have one id", async () => {
    const { receiver } = bench();
    for (const event of ["order.accepted", "order.filled"]) {
      const outcome = accepted(await receiver.receive(signed({ event, event_id: "evt_1", data: { id: "ord_1" } })));
      await outcome.settle("processed");
    }
    expect(verdict(await receiver.receive(signed({ event: "order.filled", event_id: "evt_1" })))).toBe("duplicate");
  });
});

describe("the key of an event", () => {
  const namespace = "n".repeat(64);
  const hostile = fc.oneof(
    fc.string({ unit: character, maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom("/", "#", ":", "*", "=", "a", ".", "-", "\0", "\ud800", "\udc00", "é", " ", "sha256"),
    }),
    fc.string({ minLength: 80, maxLength: 300 }),
    fc
      .constantFrom("sha256:", "sha256-")
      .chain((head) =>
        fc.string({ unit: fc.constantFrom("a", "0", "f"), minLength: 64, maxLength: 64 }).map((tail) => head + tail),
      ),
  );

  it("is readable for a plain type and id", () => {
    expect(eventKey("order.filled", "evt_1")).toBe("order.filled/evt_1");
    const hash = "0".repeat(64);
    expect(eventKey("order.filled", `sha256:${hash}`)).toBe(`order.filled/sha256-${hash}`);
  });

  it("is hashed for any other type or id", () => {
    for (const id of [
      "",
      "a b",
      "a:b",
      "a#b",
      "\0",
      "é",
      "\ud800",
      "x".repeat(91),
      "sha256-x",
      `sha256:${"0".repeat(63)}`,
      "x".repeat(10_000),
    ]) {
      expect(eventKey("order.filled", id)).toMatch(/^\*\/[0-9a-f]{64}$/);
    }
    for (const type of ["", "a/b", "a#b", "x".repeat(65), "é", "*"])
      expect(eventKey(type, "evt_1")).toMatch(/^\*\/[0-9a-f]{64}$/);
  });

  it("differs for any two events", inFull, () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (type, id, otherType, otherId) => {
        const same = type === otherType && id === otherId;
        expect(eventKey(type, id) === eventKey(otherType, otherId)).toBe(same);
      }),
      { numRuns: runs(200, 20_000) },
    );
  });

  it("differs for any two splits of one text", () => {
    fc.assert(
      fc.property(hostile, fc.nat(), fc.nat(), (text, cut, otherCut) => {
        const at = (place: number) => [text.slice(0, place), text.slice(place)] as const;
        const [one, other] = [cut % (text.length + 1), otherCut % (text.length + 1)];
        expect(eventKey(...at(one)) === eventKey(...at(other))).toBe(one === other);
      }),
    );
  });

  it("differs for lone surrogates", () => {
    expect(new Set(["\ud800", "\ud801", "\udc00", "\ufffd"].map((id) => eventKey("a.b", id))).size).toBe(4);
  });

  it("is printable ASCII that fits every store and job queue, also with a handler's name", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (type, id, name) => {
        const key = eventKey(type, id);
        expect(key).toMatch(/^[!-~]+$/);
        expect(key).not.toMatch(/[:#]/);
        for (const stored of [storeKey(namespace, key), handlerKey(storeKey(namespace, key), name)]) {
          expect(stored).toMatch(/^[!-~]{1,256}$/);
        }
      }),
    );
  });

  it("differs from that of each handler, and those differ from each other", inFull, () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (id, name, otherName) => {
        const key = eventKey("order.filled", id);
        expect(handlerKey(key, name)).toContain("#");
        expect(handlerKey(key, name) === handlerKey(key, otherName)).toBe(name === otherName);
      }),
      { numRuns: runs(100, 10_000) },
    );
  });

  it("shows a plain handler name", () => {
    expect(handlerKey("order.filled/evt_1", "order.*:1")).toBe("order.filled/evt_1#order.*:1");
    for (const name of ["a b", "=x", "é", "x".repeat(256)]) expect(handlerKey("k", name)).toMatch(/^k#=[0-9a-f]{32}$/);
  });
});
