import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { createReceiver, type DeliveryContext, type Receiver } from "../../src/index.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { faultyStore, rejects } from "./faulty-store.ts";
import { accepted, anEvent, type Bench, bench, gate, SECRET, signed, until, verdict } from "./receiving.ts";

const OK = { status: 200, body: '{"received":true}' };
const UNHANDLED = { status: 200, body: '{"received":true,"unhandled":true}' };
const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };
const code = (status: number, name: string) => ({ status, body: `{"error":{"code":"${name}"}}` });

describe("one handler", () => {
  it("matches a name without a dot", async () => {
    const { receiver } = bench();
    const handler = vi.fn();
    receiver.on("push", handler);
    expect(await receiver.handle(signed(anEvent("push")))).toMatchObject(OK);
    expect(handler).toHaveBeenCalledWith(expect.objectContaining({ type: "push", action: "" }), expect.anything());
    expect(receiver.patterns()).toEqual(["push"]);
  });

  it("gets the event and the context of its delivery", async () => {
    const { receiver } = bench({ now: () => 1_750_000_000_000 });
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    const payload = anEvent();
    const delivery = signed(payload);
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    const [event, context] = handler.mock.calls[0] ?? [];
    expect(event).toMatchObject({ id: payload.event_id, type: "order.filled", data: { id: "ord_1" }, payload });
    expect(context).toMatchObject({
      eventId: payload.event_id,
      eventKey: `order.filled/${payload.event_id}`,
      identifiedBy: "payload",
      rawBody: delivery.body,
      receivedAt: new Date(1_750_000_000_000),
      secretIndex: 0,
      deduplicated: true,
    });
    expect((context as DeliveryContext).signal.aborted).toBe(false);
  });

  it("costs the store one claim and one completion", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "orders" });
    receiver.on("order.filled", () => {});
    receiver.on("kyc.*", () => {});
    const event = anEvent();
    await receiver.handle(signed(event));
    expect(store.calls.map(({ verb, key }) => [verb, key])).toEqual([
      ["claim", `orders/order.filled/${event.event_id}`],
      ["complete", `orders/order.filled/${event.event_id}`],
    ]);
  });

  it("is awaited when the program replaced the global Promise", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "orders" });
    receiver.on("order.filled", async () => {});
    vi.stubGlobal("Promise", class Replaced<T> extends Promise<T> {});
    try {
      expect(await receiver.handle(signed(anEvent()))).toMatchObject(OK);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(store.calls.map(({ verb }) => verb)).toEqual(["claim", "complete"]);
  });

  const thrown: [string, unknown][] = [
    ["an error", new Error("boom")],
    ["null", null],
    ["nothing", undefined],
    ["a text", "boom"],
    [
      "an error with a status of its own",
      Object.assign(new Error("boom"), { status: 200, statusCode: 204, expose: true }),
    ],
    ["a revoked proxy", revoked()],
  ];
  it.each(thrown)("that throws %s is answered 500, and the retry runs", async (_, what) => {
    const { receiver, reports } = bench();
    let failing = true;
    let calls = 0;
    // Not a mock: a mock would inspect the thrown value.
    receiver.on("order.filled", () => {
      calls++;
      if (failing) throw what;
    });
    const delivery = signed();
    expect(await receiver.handle(delivery)).toMatchObject(code(500, "handler_failed"));
    expect(reports).toMatchObject([{ code: "handler_failed", status: 500 }]);
    failing = false;
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(calls).toBe(2);
  });

  it("that fails passes its error to logger and observer, not to the answer", async () => {
    const { receiver, lines, reports } = bench();
    const error = new Error("the database said no");
    receiver.on("order.filled", () => Promise.reject(error));
    const event = anEvent();
    const reply = await receiver.handle(signed(event));
    expect(lines).toEqual([
      {
        level: "error",
        message: `bluum-webhooks: handler_failed: handler "order.filled:1" failed for event "order.filled/${event.event_id}" of type "order.filled"; Bluum retries it`,
        error,
      },
    ]);
    expect(reports).toMatchObject([{ error }]);
    expect(JSON.stringify(reply)).not.toContain("database");
  });

  it("succeeds with any return value", async () => {
    for (const returned of [undefined, null, false, { status: 500 }, Promise.resolve(new Error("x"))]) {
      const { receiver } = bench();
      receiver.on("order.filled", () => returned);
      expect(await receiver.handle(signed())).toMatchObject(OK);
    }
  });

  it("runs once when one request is handled twice", async () => {
    const { receiver, reports } = bench();
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    const request = {};
    const delivery = { ...signed(), request };
    const replies = [await receiver.handle(delivery), await receiver.handle(delivery)];
    expect(replies).toMatchObject([OK, OK]);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(reports).toHaveLength(1);
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Four handlers of every order event, some of which fail, and the order in which they ran. */
function four(receiver: Receiver) {
  const ran: string[] = [];
  const failing = new Set<string>();
  for (const name of ["first", "second", "third", "fourth"]) {
    const handler = async () => {
      ran.push(name);
      await Promise.resolve();
      if (failing.has(name)) throw new Error(name);
    };
    receiver.on("order.*", handler, { name });
  }
  return { ran, failing };
}

describe("several handlers", () => {
  it("all run, in order of registration", async () => {
    const { receiver } = bench();
    const ran: string[] = [];
    receiver
      .on("*", () => void ran.push("any"))
      .on(["order.filled", "order.*"], () => void ran.push("list"))
      .on("kyc.*", () => void ran.push("kyc"))
      .on("order.filled", () => void ran.push("exact"));
    expect(await receiver.handle(signed())).toMatchObject(OK);
    expect(ran).toEqual(["any", "list", "exact"]);
  });

  it("run again from the first that failed", async () => {
    const { receiver } = bench();
    const { ran, failing } = four(receiver);
    failing.add("third");
    const delivery = signed();
    expect(await receiver.handle(delivery)).toMatchObject(code(500, "handler_failed"));
    expect(ran.splice(0)).toEqual(["first", "second", "third"]);
    expect(await receiver.handle(delivery)).toMatchObject(code(500, "handler_failed"));
    expect(ran.splice(0)).toEqual(["third"]);
    failing.clear();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(ran.splice(0)).toEqual(["third", "fourth"]);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(ran).toEqual([]);
  });

  it("remember their success across processes that share the store", async () => {
    const store = memoryStore();
    const [one, other] = [bench({ store }), bench({ store })];
    const [there, here] = [four(one.receiver), four(other.receiver)];
    there.failing.add("third");
    const delivery = signed();
    await one.receiver.handle(delivery);
    expect(await other.receiver.handle(delivery)).toMatchObject(OK);
    expect(here.ran).toEqual(["third", "fourth"]);
  });

  it("keep the completions of different events apart", async () => {
    const { receiver } = bench();
    const { ran, failing } = four(receiver);
    failing.add("second");
    for (let n = 0; n < 2; n++) await receiver.handle(signed());
    expect(ran).toEqual(["first", "second", "first", "second"]);
  });

  it("are remembered by name, so that they may be reordered between deliveries", async () => {
    const store = memoryStore();
    const [before, after] = [bench({ store }), bench({ store })];
    const ran: string[] = [];
    const failing = () => {
      throw new Error("not yet");
    };
    before.receiver
      .on("order.*", () => void ran.push("book"), { name: "book" })
      .on("order.*", failing, { name: "mail" });
    after.receiver
      .on("order.*", () => void ran.push("mail"), { name: "mail" })
      .on("order.*", () => void ran.push("book"), { name: "book" });
    const delivery = signed();
    await before.receiver.handle(delivery);
    expect(await after.receiver.handle(delivery)).toMatchObject(OK);
    expect(ran).toEqual(["book", "mail"]);
  });

  it("wait while another process runs one of them", async () => {
    const store = faultyStore();
    const { receiver, reports } = bench({ store, namespace: "a" });
    const { ran } = four(receiver);
    const event = anEvent();
    const key = `a/order.filled/${event.event_id}#second`;
    await store.sound.claim(key, { token: "another", leaseMs: 60_000 });
    expect(await receiver.handle(signed(event))).toMatchObject(code(503, "event_in_flight"));
    expect(reports).toMatchObject([{ code: "event_in_flight", status: 503 }]);
    expect(ran).toEqual(["first"]);
    await store.sound.release(key, { token: "another" });
    expect(await receiver.handle(signed(event))).toMatchObject(OK);
    expect(ran).toEqual(["first", "second", "third", "fourth"]);
  });

  it("stop at one whose claim was lost while it ran", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "a" });
    const ran: string[] = [];
    const event = anEvent();
    const key = `a/order.filled/${event.event_id}#stolen`;
    const steal = async () => {
      await store.sound.forget?.(key);
      await store.sound.claim(key, { token: "another", leaseMs: 60_000 });
    };
    receiver.on("order.*", steal, { name: "stolen" }).on("order.*", () => void ran.push("next"));
    expect(await receiver.handle(signed(event))).toMatchObject(code(503, "event_in_flight"));
    expect(ran).toEqual([]);
  });

  it("go on after one that another process completed meanwhile", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "a" });
    const event = anEvent();
    const key = `a/order.filled/${event.event_id}#slow`;
    const overtaken = async () => {
      await store.sound.forget?.(key);
      await store.sound.complete(key, { token: "another", retentionMs: 60_000 });
    };
    const next = vi.fn();
    receiver.on("order.*", overtaken, { name: "slow" }).on("order.*", next);
    expect(await receiver.handle(signed(event))).toMatchObject(OK);
    expect(next).toHaveBeenCalledTimes(1);
  });

  it("are answered 503 when the store fails between two of them, and the retry runs the rest", async () => {
    const store = faultyStore();
    const { receiver, lines, reports } = bench({ store, namespace: "a" });
    const { ran } = four(receiver);
    const delivery = signed();
    let claims = 0;
    store.break("claim", (act) => (++claims === 3 ? rejects(act) : act()));
    expect(await receiver.handle(delivery)).toMatchObject({
      ...code(503, "store_unavailable"),
      headers: { "retry-after": "5" },
    });
    expect(reports).toMatchObject([{ code: "store_unavailable", status: 503, error: { name: "StoreDown" } }]);
    expect(lines).toMatchObject([
      { level: "error", message: expect.stringContaining("failed to claim a handler's run") },
    ]);
    store.heal("claim");
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(ran).toEqual(["first", "second", "third", "fourth"]);
  });

  it("go on when a completion fails, and retry it in the background", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "a", leaseMs: 1_000 });
    const { ran, failing } = four(receiver);
    failing.add("second");
    store.break("complete", rejects, 1);
    const delivery = signed();
    await receiver.handle(delivery);
    await until(() => store.count("complete") === 2, "the completion is tried again");
    failing.clear();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(ran).toEqual(["first", "second", "second", "third", "fourth"]);
  });

  it("all run when the store is down and onStoreError is accept", async () => {
    const store = faultyStore();
    for (const verb of ["claim", "complete", "release"] as const) store.break(verb, rejects);
    const { receiver } = bench({ store, namespace: "a", onStoreError: "accept" });
    const { ran } = four(receiver);
    expect(await receiver.handle(signed())).toMatchObject(OK);
    expect(ran).toEqual(["first", "second", "third", "fourth"]);
    expect(store.count("claim")).toBe(1);
  });
});

describe("an event that no handler matches", () => {
  it("is answered 200 unhandled, logged once for its type, and released", async () => {
    const { receiver, lines, reports } = bench();
    receiver.on("kyc.*", () => {});
    const delivery = signed();
    for (let n = 0; n < 3; n++) expect(await receiver.handle(delivery)).toMatchObject(UNHANDLED);
    await receiver.handle(signed(anEvent("order.canceled")));
    expect(lines.map(({ message }) => message)).toEqual([
      'bluum-webhooks: unhandled: no handler matches events of type "order.filled"; answered 200 and not remembered',
      'bluum-webhooks: unhandled: no handler matches events of type "order.canceled"; answered 200 and not remembered',
    ]);
    expect(reports).toMatchObject(Array(4).fill({ code: "unhandled", status: 200 }));
  });

  it("runs once its handler is deployed", async () => {
    const store = memoryStore();
    const delivery = signed();
    const [before, after] = [bench({ store }), bench({ store })];
    before.receiver.on("kyc.*", () => {});
    expect(await before.receiver.handle(delivery)).toMatchObject(UNHANDLED);
    const handler = vi.fn();
    after.receiver.on("order.filled", handler);
    expect(await after.receiver.handle(delivery)).toMatchObject(OK);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is answered 500 with onUnhandled reject", async () => {
    const { receiver, lines } = bench({ onUnhandled: "reject" });
    receiver.on("kyc.*", () => {});
    const delivery = signed();
    for (let n = 0; n < 2; n++) expect(await receiver.handle(delivery)).toMatchObject(code(500, "unhandled"));
    expect(lines).toMatchObject([
      { message: expect.stringContaining('"order.filled"; answered 500 (onUnhandled is "reject")') },
    ]);
  });

  it("is logged with its name quoted and shortened", async () => {
    const { receiver, lines } = bench();
    receiver.on("kyc.*", () => {});
    await receiver.handle(signed(anEvent(`a.\n\u001b[31m${"x".repeat(1_000)}`)));
    expect(lines[0]?.message).toContain('"a.\\n\\u001b[31m');
    expect(lines[0]?.message.length).toBeLessThan(220);
  });
});

describe("the log of failures", () => {
  const linesOf = ({ lines }: Bench) => lines.map(({ message }) => message.replace("bluum-webhooks: ", ""));
  const failing = () => {
    throw new Error("not yet");
  };

  it("has a line for each, with event, type, handler and error", async () => {
    const one = bench();
    const { failing } = four(one.receiver);
    const events = [anEvent(), anEvent(), anEvent("order.canceled")];
    for (const [place, name] of ["first", "third", "third"].entries()) {
      failing.clear();
      failing.add(name);
      await one.receiver.handle(signed(events[place]));
    }
    const ids = events.map(({ event_id }) => event_id);
    expect(linesOf(one)).toEqual([
      `handler_failed: handler "first" failed for event "order.filled/${ids[0]}" of type "order.filled"; Bluum retries it`,
      `handler_failed: handler "third" failed for event "order.filled/${ids[1]}" of type "order.filled"; Bluum retries it`,
      `handler_failed: handler "third" failed for event "order.canceled/${ids[2]}" of type "order.canceled"; Bluum retries it`,
    ]);
    expect(one.lines.map(({ level, error }) => [level, (error as Error).message])).toEqual([
      ["error", "first"],
      ["error", "third"],
      ["error", "third"],
    ]);
  });

  it("has ten lines a minute for each handler and type, and counts the rest", async () => {
    const one = bench();
    one.receiver.on("order.*", failing, { name: "book" }).on("kyc.*", failing, { name: "mail" });
    for (let n = 0; n < 15; n++) await one.receiver.handle(signed());
    for (let n = 0; n < 12; n++) await one.receiver.handle(signed(anEvent("order.canceled")));
    await one.receiver.handle(signed(anEvent("kyc.verification.approved")));
    expect(one.lines).toHaveLength(10 + 10 + 1);
    await one.receiver.close();
    expect(linesOf(one).slice(21)).toEqual([
      'handler_failed: handler "book", type "order.filled": and 5 more within a minute',
      'handler_failed: handler "book", type "order.canceled": and 2 more within a minute',
    ]);
  });

  it("names the handler that threw an unreadable value", async () => {
    const one = bench();
    one.receiver.on("order.*", () => Promise.reject(revoked()), { name: "odd" });
    expect(await one.receiver.handle(signed())).toMatchObject(code(500, "handler_failed"));
    expect(linesOf(one)).toEqual([expect.stringMatching(/^handler_failed: handler "odd" failed for event "order/)]);
  });

  it("quotes the names of events and handlers", async () => {
    const one = bench();
    const wild = "a.\n\u001b[31m\u009b31m\u202e%s";
    one.receiver.on("*", failing, { name: wild });
    await one.receiver.handle(signed(anEvent(wild)));
    await one.receiver.handle(signed(anEvent("order.filled", { event_id: "%d" })));
    expect(linesOf(one)).toHaveLength(2);
    for (const line of linesOf(one)) expect(line).toMatch(/^[\x20-\x24\x26-\x7e]+$/);
  });
});

describe("a receiver without any handler", () => {
  it("answers 500 no_handlers, and runs the retry once there is one", async () => {
    const store = memoryStore();
    const { receiver, lines } = bench({ store });
    const delivery = signed();
    expect(await receiver.handle(delivery)).toMatchObject(code(500, "no_handlers"));
    expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("receiver.on(") }]);
    const later = bench({ store });
    later.receiver.on("*", () => {});
    expect(await later.receiver.handle(delivery)).toMatchObject(OK);
  });
});

describe("registration", () => {
  it("is refused after the first delivery", async () => {
    const { receiver } = bench();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    expect(() => receiver.on("order.canceled", () => {})).toThrow(
      expect.objectContaining({ code: "registration_refused" }),
    );
    expect(receiver.patterns()).toEqual(["order.filled"]);
  });

  it("is not closed by forged deliveries", async () => {
    const { receiver } = bench();
    await receiver.handle({ ...signed(), method: "GET" });
    await receiver.handle(signed(anEvent(), { secret: "some-other-shared-secret" }));
    expect(() => receiver.on("order.filled", () => {})).not.toThrow();
  });

  it("gives the patterns to subscribe to", () => {
    const { receiver } = bench();
    receiver.on(["order.*", "transfer.deposit.*"], () => {}).on("order.*", () => {});
    expect(receiver.patterns()).toEqual(["order.*", "transfer.deposit.*"]);
  });

  it("refuses an invalid pattern, and the ping, which is never routed", () => {
    const { receiver } = bench();
    for (const pattern of [7, undefined, "order.", "bluum-webhooks.ping"]) {
      expect(() => receiver.on(pattern as "*", () => {})).toThrow(
        expect.objectContaining({ code: "registration_refused" }),
      );
    }
  });
});

describe("forget", () => {
  it("lets a deliberate replay run all handlers again", async () => {
    const { receiver } = bench();
    const { ran } = four(receiver);
    const event = anEvent();
    await receiver.handle(signed(event));
    const identity = { type: event.event, id: event.event_id };
    expect(await receiver.forget(identity)).toBe(true);
    expect(await receiver.forget(identity)).toBe(false);
    await receiver.handle(signed(event));
    expect(ran).toHaveLength(8);
  });

  it("also forgets an event that only one handler completed", async () => {
    const { receiver } = bench();
    const { ran, failing } = four(receiver);
    failing.add("second");
    const event = anEvent();
    await receiver.handle(signed(event));
    expect(await receiver.forget({ type: event.event, id: event.event_id })).toBe(true);
    await receiver.handle(signed(event));
    expect(ran).toEqual(["first", "second", "first", "second"]);
  });

  it("accepts the id from the context, also a hash", async () => {
    const { receiver } = bench();
    const delivery = signed({ event: "order.filled", data: { id: "ord_1" } });
    const { context, settle } = bound(accepted(await receiver.receive(delivery)));
    await settle("processed");
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
    expect(await receiver.forget({ type: "order.filled", id: context.eventId })).toBe(true);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it("needs a store with forget, and passes its failures on", async () => {
    const { forget: _, ...store } = memoryStore();
    const { receiver } = bench({ store, namespace: "a" });
    await expect(receiver.forget({ type: "a.b", id: "1" })).rejects.toMatchObject({ code: "configuration_invalid" });
    const failing = bench({ store: { ...store, forget: () => Promise.reject(new Error("down")) }, namespace: "a" });
    await expect(failing.receiver.forget({ type: "a.b", id: "1" })).rejects.toThrow("down");
  });
});

function bound(outcome: ReturnType<typeof accepted>) {
  return { context: outcome.context, settle: outcome.settle.bind(outcome) };
}

describe("the ping", () => {
  const ping = { event: "bluum-webhooks.ping" };

  it("is answered after verification, neither claimed nor routed", async () => {
    const store = faultyStore();
    const { receiver } = bench({ store, namespace: "a" });
    const handler = vi.fn();
    receiver.on("*", handler);
    for (let n = 0; n < 2; n++) {
      expect(await receiver.handle(signed(ping))).toMatchObject({ status: 200, body: '{"received":true,"ping":true}' });
    }
    expect(verdict(await receiver.receive(signed(ping)))).toBe("ping");
    expect(handler).not.toHaveBeenCalled();
    expect(store.calls).toEqual([]);
  });

  it("works without handlers and store, and must be signed", async () => {
    const { receiver } = bench();
    expect(await receiver.handle(signed(ping))).toMatchObject({ status: 200 });
    expect(await receiver.handle(signed(ping, { secret: "some-other-shared-secret" }))).toMatchObject(
      code(401, "signature_mismatch"),
    );
    expect(await receiver.handle(signed('{"event":"bluum-webhooks.ping"'))).toMatchObject(
      code(400, "payload_not_json"),
    );
  });
});

describe("an old event", () => {
  const NOW = Date.parse("2026-01-20T00:00:00Z");
  const DAY = 86_400_000;
  const at = (ms: number) => signed({ ...anEvent(), timestamp: new Date(ms).toISOString() });
  const ages = (options: object) => bench({ now: () => NOW, ...options }).receiver;

  it("is refused beyond maxEventAgeMs, by default the retention of seven days", async () => {
    expect(verdict(await ages({}).receive(at(NOW - 7 * DAY)))).toBe("accepted");
    expect(verdict(await ages({}).receive(at(NOW - 7 * DAY - 1)))).toBe("event_too_old");
    expect(verdict(await ages({ retentionMs: 9 * DAY }).receive(at(NOW - 8 * DAY)))).toBe("accepted");
    expect(verdict(await ages({ maxEventAgeMs: DAY }).receive(at(NOW - 2 * DAY)))).toBe("event_too_old");
  });

  it("is refused by any time field of its payload", async () => {
    const created = (NOW - 8 * DAY) / 1_000;
    expect(verdict(await ages({}).receive(signed({ ...anEvent(), created })))).toBe("event_too_old");
  });

  it("is not assumed from an old resource at the top level", async () => {
    const resource = { event: "order.canceled", id: "ord_1", created_at: "2020-01-01T00:00:00Z", created: 1577836800 };
    expect(verdict(await ages({}).receive(signed(resource)))).toBe("accepted");
    expect(verdict(await ages({}).receive(signed({ ...resource, data: { id: "ord_1" } })))).toBe("event_too_old");
    const timestamp = "2020-01-01T00:00:00Z";
    expect(verdict(await ages({}).receive(signed({ ...resource, timestamp })))).toBe("event_too_old");
  });

  it.each<[string, object]>([
    ["timestamp", { timestamp: "2001-01-01T00:00:00" }],
    ["timestamp", { timestamp: 978307200 }],
    ["created_at", { created_at: "2001-01-01" }],
    ["created", { created: 978307200000 }],
    ["created", { created: "978307200" }],
  ])("is accepted with an unreadable %s, and warned of once", async (field, time) => {
    const { receiver, lines } = bench({ now: () => NOW });
    for (let n = 0; n < 2; n++)
      expect(verdict(await receiver.receive(signed({ ...anEvent(), ...time })))).toBe("accepted");
    expect(lines).toEqual([{ level: "warn", error: undefined, message: expect.stringContaining(`\`${field}\``) }]);
    expect(lines[0]?.message).not.toMatch(/2001|978307200/);
  });

  it("is not warned of when its age is known or not checked", async () => {
    const scheme = standardWebhooksSignature();
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const time = { timestamp: "yesterday" };
    const timed = bench({ now: () => NOW, scheme, secret });
    await timed.receiver.receive(signed({ ...anEvent(), ...time }, { scheme, secret, now: NOW }));
    const { receiver, lines } = bench({ now: () => NOW });
    await receiver.receive(signed({ ...anEvent(), ...time, created: NOW / 1_000 }));
    await receiver.receive(signed({ ...anEvent(), timestamp: null, created_at: undefined }));
    expect([...timed.lines, ...lines]).toEqual([]);
  });

  it("is accepted without a time, or with a future one", async () => {
    expect(verdict(await ages({}).receive(signed()))).toBe("accepted");
    expect(verdict(await ages({}).receive(at(NOW + 30 * DAY)))).toBe("accepted");
  });

  it("is accepted under a scheme that signs a timestamp", async () => {
    const scheme = standardWebhooksSignature();
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const old = signed({ ...anEvent(), timestamp: "2001-01-01T00:00:00Z" }, { scheme, secret, now: NOW });
    expect(verdict(await ages({ scheme, secret }).receive(old))).toBe("accepted");
  });
});

describe("a request that was accepted before", () => {
  it("is recognised by receive after its body was read", async () => {
    const { receiver, reports } = bench();
    const request = {};
    const delivery = { ...signed(), request };
    const first = accepted(await receiver.receive(delivery));
    const again = await receiver.receive({ ...delivery, body: () => Promise.reject(new Error("drained")) });
    expect(again).toBe(first);
    await first.settle("processed");
    expect(reports).toHaveLength(1);
  });

  it("is recognised by each of several receivers, which share the body", async () => {
    const request = {};
    const read = vi.fn(async () => signed(event).body);
    const event = anEvent();
    const delivery = { ...signed(event), request, body: read };
    const receivers = [bench(), bench(), bench()].map(({ receiver }) => receiver);
    const outcomes = [];
    for (const receiver of receivers) outcomes.push(accepted(await receiver.receive(delivery)));
    expect(read).toHaveBeenCalledTimes(1);
    expect(new Set(outcomes).size).toBe(3);
    for (const [place, receiver] of receivers.entries()) {
      expect(await receiver.receive(delivery)).toBe(outcomes[place]);
    }
  });

  it("is still verified by another receiver", async () => {
    const delivery = { ...signed(), request: {} };
    accepted(await bench().receiver.receive(delivery));
    const other = bench({ secret: "another-secret-of-some-length" }).receiver;
    expect(verdict(await other.receive({ ...delivery, body: async () => delivery.body }))).toBe("signature_mismatch");
  });

  it("prints nothing of the event", async () => {
    const request: object = { "x-header": "1" };
    accepted(await bench().receiver.receive({ ...signed(), request }));
    expect(inspect(request, { depth: null, showHidden: true })).not.toMatch(/order\.filled|evt_|ord_1/);
    expect(Object.keys(request)).toEqual(["x-header"]);
    expect(JSON.stringify(request)).toBe('{"x-header":"1"}');
  });

  it("is accepted when it is frozen, and is in flight the second time", async () => {
    const { receiver } = bench();
    const delivery = { ...signed(), request: Object.freeze({}) };
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
    expect(verdict(await receiver.receive(delivery))).toBe("in_flight");
  });

  it("does not cover the same event in another request", async () => {
    const { receiver } = bench();
    const delivery = signed();
    expect(verdict(await receiver.receive({ ...delivery, request: {} }))).toBe("accepted");
    expect(verdict(await receiver.receive({ ...delivery, request: {} }))).toBe("in_flight");
  });
});

describe("two receivers on one store", () => {
  it("share events under one namespace, and none under two", async () => {
    const store = memoryStore();
    const delivery = signed();
    const outcomes = [];
    for (const namespace of ["a", "b", "a"]) {
      const { receiver } = bench({ store, namespace });
      const outcome = await receiver.receive(delivery);
      outcomes.push(verdict(outcome));
      if (outcome.kind === "accepted") await outcome.settle("processed");
    }
    expect(outcomes).toEqual(["accepted", "accepted", "duplicate"]);
  });
});

describe("the default logger", () => {
  it("is the console", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await createReceiver({ secret: SECRET }).receive({ ...signed(), headers: {} });
      expect(warn).toHaveBeenCalledTimes(1);
    } finally {
      warn.mockRestore();
    }
  });
});

describe("a second delivery while the first is being handled", () => {
  it("is answered 503 with the rest of the lease, and the first goes on", async () => {
    const { receiver } = bench();
    const working = gate();
    const handler = vi.fn(() => working.passed);
    receiver.on("order.filled", handler);
    const delivery = signed();
    const first = receiver.handle(delivery);
    await until(() => handler.mock.calls.length === 1, "the handler runs");
    expect(await receiver.handle(delivery)).toMatchObject({
      ...code(503, "event_in_flight"),
      headers: { "retry-after": "30" },
    });
    working.open();
    expect(await first).toMatchObject(OK);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});
