import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectScheme, type EventIdReport } from "../../../src/cli/detect.ts";
import { captured, hmac, NOW, SECONDS, SECRET } from "./captures.ts";
import { Programs, receive } from "./programs.ts";

/** One delivery: the fields that are added to the documented body, and its headers. */
interface Delivered {
  readonly order?: string;
  readonly type?: string;
  readonly at?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

function capture({
  order = "ord_1",
  type = "order.filled",
  at = "2025-06-15T14:30:15Z",
  extra = {},
  data = {},
  headers = {},
}: Delivered) {
  const body = JSON.stringify({ event: type, timestamp: at, ...extra, data: { id: order, ...data } });
  return captured({ headers: { ...headers, "X-Acme-Signature": hmac("sha256", SECRET, body).toString("hex") }, body });
}

function report(...deliveries: readonly Delivered[]): EventIdReport {
  return detectScheme(deliveries.map(capture), [SECRET]).eventId;
}

const ACCEPTED = { type: "order.accepted", at: "2025-06-15T14:30:10Z" };
const FILLED = { type: "order.filled" };

let programs: Programs;
beforeAll(() => {
  programs = new Programs("event-id");
});
afterAll(() => programs.remove());

/** The event's id in a receiver with the printed option. */
async function idBy(option: string | undefined, delivered: Delivered): Promise<string> {
  const one = capture(delivered);
  const [finding] = detectScheme([one], [SECRET]).findings;
  const hash = 'import { createHash } from "node:crypto";\n';
  const code = hash + (finding?.code ?? "").replace("  scheme:", `  ${option}\n  scheme:`);
  const outcome = await receive(await programs.run(code, SECRET, NOW), one.capture);
  expect(outcome).toMatchObject({ kind: "accepted", context: { identifiedBy: "option" } });
  return outcome.kind === "accepted" ? outcome.event.id : "";
}

describe("detect, on events without a name", () => {
  const saysOf = (...bodies: readonly string[]) =>
    detectScheme(
      bodies.map((body) => captured({ headers: { "X-Sig": hmac("sha256", SECRET, body).toString("hex") }, body })),
      [SECRET],
    ).eventId.says;
  const NONE =
    "No captured body names an event: none has a string as `event` or `type`. A receiver refuses such deliveries.";

  it("says first that no capture names an event", () => {
    expect(saysOf('{"id":"evt_1"}')[0]).toBe(NONE);
    expect(saysOf('{"event":""}', '{"event":7,"type":{}}', "[]")[0]).toBe(NONE);
  });

  it("counts the captures that name no event, if others do", () => {
    expect(saysOf('{"id":"evt_1"}', '{"type":"order.filled"}', '{"event":"order.filled"}')[0]).toBe(
      "1 of 3 captured bodies names no event; a receiver refuses it.",
    );
    expect(saysOf('{"id":"evt_1"}', '{"id":"evt_2"}', '{"event":"order.filled"}')[0]).toBe(
      "2 of 3 captured bodies name no event; a receiver refuses them.",
    );
  });

  it("says nothing if all captures name an event", () => {
    expect(saysOf('{"type":"order.filled"}').join(" ")).not.toContain("event:");
    expect(saysOf('{"type":"order.filled"}').join(" ")).not.toMatch(/names? (no|an) event/);
  });
});

describe("the event id", () => {
  it("is found at the top of the body, where the receiver finds it by default", () => {
    const [one, two] = [
      { ...ACCEPTED, extra: { event_id: "evt_1" } },
      { ...FILLED, extra: { event_id: "evt_2" } },
    ];
    const found = report(one, one, two);
    expect(found).toMatchObject({ deliveries: 3, events: 2, taken: "payload", sound: true });
    expect(found.candidates[0]).toBe("body event_id");
    expect(found.option).toBeUndefined();
    expect(found.says.join(" ")).toMatch(
      /In 3 deliveries of 2 events, these differ between events and stay the same in retries: body event_id\./,
    );
  });

  it.each([
    ["id", { id: "9f3a" }, { id: "9f3b" }, "9f3a"],
    ["message_id", { message_id: "m-1" }, { message_id: "m-2" }, "m-1"],
    ["meta.eventId", { meta: { eventId: "e-1" } }, { meta: { eventId: "e-2" } }, "e-1"],
    [
      "meta.deep.notification-id",
      { meta: { deep: { "notification-id": 17 } } },
      { meta: { deep: { "notification-id": 18 } } },
      "17",
    ],
  ])("is found in %s, for which the receiver needs the option", async (path, first, second, id) => {
    const deliveries = [
      { ...ACCEPTED, extra: first },
      { ...ACCEPTED, extra: first },
      { ...FILLED, extra: second },
    ];
    const { candidates, option, taken } = report(...deliveries);
    expect(taken).toBe("body hash");
    expect(candidates[0]).toBe(`body ${path}`);
    expect(await idBy(option, deliveries[0] ?? {})).toBe(id);
  });

  it("is found if retries have different bytes", async () => {
    const attempt = (n: number) => ({
      ...FILLED,
      extra: { attempt: n, delivery_id: `d-${n}`, webhook_event_id: "w-1" },
    });
    const found = report(attempt(1), attempt(2), {
      ...ACCEPTED,
      extra: { attempt: 1, delivery_id: "d-3", webhook_event_id: "w-2" },
    });
    expect(found).toMatchObject({ deliveries: 3, events: 2, taken: "body hash", sound: false });
    expect(found.candidates).toContain("body webhook_event_id");
    expect(found.candidates).not.toContain("body delivery_id");
    expect(await idBy(found.option, attempt(1))).toBe("w-1");
    expect(await idBy(found.option, attempt(2))).toBe("w-1");
  });

  it("is not an id at the top that differs in each retry", async () => {
    // The receiver uses it by default. Data and time show that both deliveries are one event.
    const attempt = (n: number) => ({ ...FILLED, extra: { id: `evt_try-${n}` } });
    const found = report(attempt(1), attempt(2), { ...ACCEPTED, extra: { id: "evt_try-3" } });
    expect(found).toMatchObject({ taken: "payload", sound: false });
    expect(found.candidates).not.toContain("body id");
    expect(found.option).toBeUndefined();
    expect(found.says.join(" ")).toMatch(/shared by several events, or differs in each retry/);
  });

  it("is the body's hash if an id at the top is shared by events and retries have the same bytes", async () => {
    const shared = { extra: { id: "evt_subscription-7" } };
    const found = report({ ...ACCEPTED, ...shared }, { ...ACCEPTED, ...shared }, { ...FILLED, ...shared });
    expect(found).toMatchObject({ taken: "payload", sound: false });
    expect(await idBy(found.option, { ...ACCEPTED, ...shared })).toMatch(/^[0-9a-f]{64}$/);
    expect(await idBy(found.option, { ...ACCEPTED, ...shared })).not.toBe(
      await idBy(found.option, { ...FILLED, ...shared }),
    );
  });

  it("is the body's hash if only the resource has an id, with a warning", () => {
    const found = report(ACCEPTED, ACCEPTED, FILLED);
    expect(found).toMatchObject({ taken: "body hash", sound: true, candidates: ["body data.id"] });
    expect(found.option).toBeUndefined();
    expect(found.says.join(" ")).toMatch(
      /Warning: the only ids are those of resources \(body data\.id\), not of the event/,
    );
    expect(found.says.join(" ")).toMatch(/these retries have the same bytes, so they are recognised/);
  });

  it.each(["ord_1", "DEP_9", "inv_01j9x8m2k7qpzwv3t5r6y8n0ab"])("is not a resource's %s in any field", (id) => {
    const found = report({ ...ACCEPTED, extra: { id } }, { ...FILLED, extra: { id: `${id}0` } });
    expect(found.option).toBeUndefined();
    expect(found.says.join(" ")).toMatch(/the only ids are those of resources/);
  });

  it.each([77, "77", "seventy-seven"])("is not %j if the data contains it at any depth", (id) => {
    const extra = (order: unknown) => ({
      extra: { event_id: order },
      data: { a: { b: [{ c: `${order}`.toUpperCase() }] } },
    });
    const found = report(
      { ...ACCEPTED, ...extra(id) },
      { ...ACCEPTED, ...extra(id) },
      { ...FILLED, ...extra(`${id}8`) },
    );
    expect(found).toMatchObject({ taken: "body hash", sound: true });
    expect(found.option).toBeUndefined();
  });

  it("is never one of a header that the signature does not cover", () => {
    const found = report(
      { ...ACCEPTED, headers: { "X-Event-Id": "e-1" } },
      { ...ACCEPTED, headers: { "X-Event-Id": "e-1" } },
      { ...FILLED, headers: { "X-Event-Id": "e-2" } },
    );
    expect(found.candidates[0]).toBe("header x-event-id");
    expect(found.option).toBeUndefined();
    expect(found.says.join(" ")).toMatch(/Do not use header x-event-id: the signature does not cover it/);
  });

  it("comes with the captures that are still needed", () => {
    expect(report(FILLED).says.at(-1)).toMatch(/capture another event and a retry of the same event/);
    expect(report(FILLED, ACCEPTED).says.at(-1)).toMatch(/capture a retry/);
    expect(report(FILLED, FILLED).says.at(-1)).toMatch(/capture another event as well/);
    expect(report(FILLED, FILLED, ACCEPTED).says.join()).not.toMatch(/To be sure/);
  });

  it("is not proven by a single event", () => {
    const found = report({ ...FILLED, extra: { message_id: "m-1" } });
    expect(found.says[0]).toBe("By name, these may be the event id: body message_id. A single event cannot prove it.");
    expect(found.option).toBeUndefined();
  });

  it("is missing if no body is JSON", () => {
    const one = captured({
      headers: { "X-Acme-Signature": hmac("sha256", SECRET, "a=1").toString("hex") },
      body: "a=1",
    });
    expect(detectScheme([one], [SECRET])).toMatchObject({
      verdict: "one",
      eventId: { taken: "nothing", deliveries: 0 },
    });
  });

  it("is printed as a valid option, with any name of the field", async () => {
    const field = 'a"];process.exit(1);//\u202e`$_event_id';
    const deliveries = [
      { ...ACCEPTED, extra: { [field]: "x-1" } },
      { ...FILLED, extra: { [field]: "x-2" } },
    ];
    const { option } = report(...deliveries);
    expect(option).toMatch(/^[ -~]+$/);
    expect(await idBy(option, deliveries[0] ?? {})).toBe("x-1");
  });
});

describe("a signed id", () => {
  const signedBy = (header: string, id: string, order: string, attempt = 1) => {
    const body = JSON.stringify({
      event: "order.filled",
      timestamp: "2025-06-15T14:30:15Z",
      attempt,
      data: { id: order },
    });
    const signature = hmac("sha256", SECRET, id, ".", SECONDS, ".", body).toString("hex");
    return captured({ headers: { [header]: id, "X-Acme-Time": SECONDS, "X-Acme-Signature": signature }, body });
  };

  it("is the event's if it is the same in retries and differs between events", () => {
    const captures = [
      signedBy("X-Acme-Ref", "r1", "ord_1", 1),
      signedBy("X-Acme-Ref", "r1", "ord_1", 2),
      signedBy("X-Acme-Ref", "r2", "ord_2"),
    ];
    const { findings, eventId } = detectScheme(captures, [SECRET]);
    expect(findings[0]?.code).toContain("{ secretIndex, messageId: id }");
    expect(eventId).toMatchObject({ taken: "signed header", sound: true });
    expect(eventId.says.join(" ")).toMatch(/The signature covers it; no option eventId is needed/);
  });

  it("is not the event's if every attempt has its own", () => {
    const captures = [
      signedBy("X-Webhook-Id", "r1", "ord_1", 1),
      signedBy("X-Webhook-Id", "r2", "ord_1", 2),
      signedBy("X-Webhook-Id", "r3", "ord_2"),
    ];
    const { findings, eventId } = detectScheme(captures, [SECRET]);
    expect(findings[0]?.code).not.toContain("{ secretIndex, messageId: id }");
    expect(eventId).toMatchObject({ taken: "body hash", sound: false });
    expect(eventId.says.join(" ")).toMatch(/handled as new events/);
  });

  it("is the event's by its name, unless the captures disprove it", () => {
    expect(detectScheme([signedBy("X-Webhook-Id", "r1", "ord_1")], [SECRET]).findings[0]?.code).toContain(
      "{ secretIndex, messageId: id }",
    );
    expect(detectScheme([signedBy("X-Request-Id", "r1", "ord_1")], [SECRET]).findings[0]?.code).not.toContain(
      "{ secretIndex, messageId: id }",
    );
  });
});
