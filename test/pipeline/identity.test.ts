import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventIdOption } from "../../src/index.ts";
import { eventKey, handlerKey, identify, storeKey } from "../../src/pipeline/identity.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { accepted, bench, signed, verdict } from "./receiving.ts";

const PREFIXES = ["ord_", "dep_", "wd_", "doc_", "inv_", "wh_", "fs_", "pos_", "acc_", "wal_"];
const bytesOf = (payload: object) => new TextEncoder().encode(JSON.stringify(payload));
const hashOf = (payload: object) => `sha256:${createHash("sha256").update(bytesOf(payload)).digest("hex")}`;

function identityOf(payload: Record<string, unknown>, more: { messageId?: string; option?: EventIdOption } = {}) {
  return identify({ payload, type: "order.filled", rawBody: bytesOf(payload), messageId: more.messageId }, more.option);
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

  it.each([undefined, ""])("is the default order's where the option says %j", (answer) => {
    expect(identityOf(all, { option: () => answer })).toEqual({ id: "evt_a", identifiedBy: "payload" });
    expect(identityOf(all, { option: () => answer, messageId: "msg_1" })).toEqual({
      id: "msg_1",
      identifiedBy: "scheme",
    });
  });

  it.each([0, 7, null, true, {}, [], ["evt_1"]])("is never %j, which is no string", (value) => {
    const payload = { event: "order.filled", event_id: value, eventId: value, id: value };
    expect(identityOf(payload)).toEqual({ id: hashOf(payload), identifiedBy: "body_hash" });
  });

  it("is not looked for in headers that nothing signs", async () => {
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
  it("sees what was verified", async () => {
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
  it.each(failing)("that %s is answered 500, so that nothing is lost", async (_, eventId) => {
    const { receiver, lines } = bench({ eventId: eventId as EventIdOption });
    expect(await receiver.handle(signed())).toMatchObject({
      status: 500,
      body: '{"error":{"code":"event_id_failed"}}',
    });
    expect(lines).toMatchObject([{ level: "error" }]);
  });
});

describe("an envelope's id that is a resource's", () => {
  it.each(PREFIXES)("is none when it begins with %s", (prefix) => {
    for (const field of ["id", "event_id", "eventId"]) {
      const id = `${prefix}x9y8`;
      expect(identityOf({ event: "order.filled", [field]: id }).identifiedBy).toBe("body_hash");
      expect(identityOf({ event: "order.filled", [field]: id.toUpperCase() }).identifiedBy).toBe("body_hash");
    }
    expect(identityOf({ event: "order.filled", event_id: `${prefix}1`, eventId: "evt_1" }).id).toBe("evt_1");
    expect(identityOf({ event: "order.filled", id: `evt_${prefix}1`, data: {} }).identifiedBy).toBe("payload");
  });

  it.each(["order", "deposit", "webhook", ""])("is none when `object` is %j", (object) => {
    expect(identityOf({ event: "order.filled", id: "9f3a", object, data: {} }).identifiedBy).toBe("body_hash");
  });

  it.each(["event", "webhook.event", "Event"])("is one when `object` is %j", (object) => {
    expect(identityOf({ event: "order.filled", id: "9f3a", object, data: {} })).toEqual({
      id: "9f3a",
      identifiedBy: "payload",
    });
  });

  it.each<[string, unknown]>([
    ["data itself", "9f3a"],
    ["one level deep", { id: "9f3a" }],
    ["one level deep under any name", { order_ref: "9f3a" }],
    ["two levels deep", { order: { id: "9f3a" } }],
    ["in a list", ["x", "9f3a"]],
    ["in a list of objects", [{ id: "1" }, { id: "9f3a" }]],
    ["in a list in an object", { legs: ["9f3a"] }],
    ["no data beside it", undefined],
    ["null beside it", null],
  ])("is none when it stands in the data, or there is none: %s", (_, data) => {
    expect(identityOf({ event: "order.filled", id: "9f3a", data }).identifiedBy).toBe("body_hash");
  });

  it.each<[string, unknown]>([
    ["nothing", {}],
    ["another id", { id: "ord_1" }],
    ["the same as a key", { "9f3a": true }],
    ["three levels deep", { a: { b: { c: "9f3a" } } }],
  ])("is one when the data holds %s", (_, data) => {
    expect(identityOf({ event: "order.filled", id: "9f3a", data }).identifiedBy).toBe("payload");
  });
});

describe("the events of one order", () => {
  const orderId = fc.oneof(
    fc.uuid(),
    fc.uuid().map((id) => `ord_${id}`),
    fc.string({ minLength: 1 }),
  );
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
  );

  it("never collapse, in any shape of envelope, even within one second", () => {
    const timestamp = "2025-06-15T14:30:15Z";
    fc.assert(
      fc.property(shape, orderId, fc.nat(1_000), fc.nat(1_000), (envelope, id, filled, more) => {
        const [one, other] = [filled, filled + more + 1].map((quantity) =>
          envelope(id, { filled_quantity: String(quantity), timestamp }),
        );
        expect(identityOf(one ?? {}).id).not.toBe(identityOf(other ?? {}).id);
        expect(identityOf(one ?? {})).toEqual(identityOf({ ...one }));
      }),
      { numRuns: 500 },
    );
  });

  it("are told apart by their type, whatever their id", async () => {
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
    fc.string({ unit: "binary", maxLength: 40 }),
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

  it("is plain to read where type and id are", () => {
    expect(eventKey("order.filled", "evt_1")).toBe("order.filled/evt_1");
    const hash = "0".repeat(64);
    expect(eventKey("order.filled", `sha256:${hash}`)).toBe(`order.filled/sha256-${hash}`);
  });

  it("is hashed where they are not", () => {
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

  it("is the same for no two events", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (type, id, otherType, otherId) => {
        const same = type === otherType && id === otherId;
        expect(eventKey(type, id) === eventKey(otherType, otherId)).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the same for no two ways of cutting one text in two", () => {
    fc.assert(
      fc.property(hostile, fc.nat(), fc.nat(), (text, cut, otherCut) => {
        const at = (place: number) => [text.slice(0, place), text.slice(place)] as const;
        const [one, other] = [cut % (text.length + 1), otherCut % (text.length + 1)];
        expect(eventKey(...at(one)) === eventKey(...at(other))).toBe(one === other);
      }),
    );
  });

  it("keeps apart what UTF-8 would not: lone surrogates", () => {
    expect(new Set(["\ud800", "\ud801", "\udc00", "\ufffd"].map((id) => eventKey("a.b", id))).size).toBe(4);
  });

  it("is printable ASCII without what job queues refuse, and fits every store, a handler's name included", () => {
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

  it("is never that of a handler, and no two handlers of an event share one", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (id, name, otherName) => {
        const key = eventKey("order.filled", id);
        expect(handlerKey(key, name)).toContain("#");
        expect(handlerKey(key, name) === handlerKey(key, otherName)).toBe(name === otherName);
      }),
      { numRuns: 1_000 },
    );
  });

  it("shows a handler's name where it is plain", () => {
    expect(handlerKey("order.filled/evt_1", "order.*:1")).toBe("order.filled/evt_1#order.*:1");
    for (const name of ["a b", "=x", "é", "x".repeat(256)]) expect(handlerKey("k", name)).toMatch(/^k#=[0-9a-f]{32}$/);
  });
});
