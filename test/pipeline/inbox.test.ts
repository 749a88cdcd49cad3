import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { type DeliveryContext, type InboxMessage, ParkEvent, WebhookError } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { faultyStore, rejects } from "./faulty-store.ts";
import { FIRST, type ListInbox, listInbox } from "./list-inbox.ts";
import { anEvent, type Bench, bench, gate, signed, until } from "./receiving.ts";

const VERBS = ["claim", "renew", "complete", "release"] as const;
const OK = { status: 200, body: '{"received":true}' };
const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };
const code = (status: number, name: string) => ({ status, body: `{"error":{"code":"${name}"}}` });

function withInbox(options: Parameters<typeof bench>[0] = {}): Bench & { inbox: ListInbox } {
  const inbox = (options.inbox as ListInbox | undefined) ?? listInbox();
  return { ...bench({ namespace: "orders-api", inbox, ...options }), inbox };
}

/** Stores one event, and gives its message. */
async function stored(
  { receiver, inbox }: ReturnType<typeof withInbox>,
  event: object = anEvent(),
): Promise<InboxMessage> {
  expect(await receiver.handle(signed(event))).toMatchObject(OK);
  const message = inbox.messages.at(-1);
  if (message === undefined) throw new Error("nothing was stored");
  return message;
}

describe("with an inbox, a delivery", () => {
  it("is answered 2xx once its event is stored, and runs no handler", async () => {
    const added = gate<"added">();
    const add = vi.fn(() => added.passed);
    const { receiver, reports } = withInbox({ inbox: listInbox({ add }) });
    const handler = vi.fn();
    receiver.on("*", handler);
    let reply: unknown;
    const answered = receiver.handle(signed()).then((answer) => {
      reply = answer;
    });
    await until(() => add.mock.calls.length === 1, "the inbox is asked");
    expect(reply).toBeUndefined();
    added.open("added");
    await answered;
    expect(reply).toMatchObject(OK);
    expect(handler).not.toHaveBeenCalled();
    expect(reports).toMatchObject([{ outcome: "accepted", status: 200, type: "order.filled" }]);
  });

  it("needs no handler", async () => {
    await stored(withInbox());
  });

  it("is stored with all that its handlers see", async () => {
    const event = anEvent("order.filled", { text: "Zoë \u{1f4b6}" });
    const setup = withInbox({ now: () => 1_750_000_000_000 });
    const delivery = signed(event);
    Object.assign(delivery.headers, { "x-request-id": "r1", authorization: "Basic c2VjcmV0", cookie: "session=1" });
    expect(await setup.receiver.handle(delivery)).toMatchObject(OK);
    const [message] = setup.inbox.messages;
    expect(message).toEqual({
      v: 1,
      key: `orders-api/order.filled/${event.event_id}`,
      id: event.event_id,
      type: "order.filled",
      body: JSON.stringify(event),
      headers: expect.objectContaining({ "x-request-id": "r1" }),
      identifiedBy: "payload",
      receivedAt: 1_750_000_000_000,
      secretIndex: 0,
    });
    expect(message?.headers).not.toHaveProperty("authorization");
    expect(message?.headers).not.toHaveProperty("cookie");
  });

  it("keeps the exact bytes that were signed, a byte order mark included", async () => {
    const setup = withInbox();
    const body = new TextEncoder().encode(`\ufeff${JSON.stringify(anEvent())}`);
    expect(await setup.receiver.handle(signed(body))).toMatchObject(OK);
    const seen = vi.fn();
    setup.receiver.on("*", (_, { rawBody }) => seen(Buffer.from(rawBody).equals(body)));
    await setup.receiver.process(setup.inbox.messages[0]);
    expect(seen).toHaveBeenCalledWith(true);
  });

  it("of an event that is stored is a duplicate", async () => {
    const { receiver, reports } = withInbox();
    const delivery = signed();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(reports.map(({ outcome }) => outcome)).toEqual(["accepted", "duplicate"]);
  });

  it.each([
    ["fails", async () => Promise.reject(new Error("disk full"))],
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
    ["answers anything else", async () => undefined as never],
  ])("is answered 503 inbox_unavailable when the inbox %s", async (_, add) => {
    const { receiver, lines, reports } = withInbox({ inbox: listInbox({ add }) });
    expect(await receiver.handle(signed())).toMatchObject(code(503, "inbox_unavailable"));
    expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("inbox_unavailable") }]);
    expect(reports).toMatchObject([{ outcome: "rejected", code: "inbox_unavailable", status: 503 }]);
  });

  it("is answered 503 inbox_unavailable when the inbox does not answer for ten seconds", async () => {
    vi.useFakeTimers();
    try {
      const { receiver } = withInbox({ inbox: listInbox({ add: () => new Promise(() => {}) }) });
      const reply = receiver.handle(signed());
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await reply).toMatchObject(code(503, "inbox_unavailable"));
    } finally {
      vi.useRealTimers();
    }
  });

  it("waits for the inbox no longer than the process has left", async () => {
    const { receiver } = withInbox({ inbox: listInbox({ add: () => new Promise(() => {}) }) });
    const startedAt = performance.now();
    expect(await receiver.handle({ ...signed(), timeLeftMs: 400 })).toMatchObject(code(503, "inbox_unavailable"));
    expect(performance.now() - startedAt).toBeLessThan(400);
  });

  it("is answered 503 at once while a thousand others wait for the inbox", async () => {
    const hanging = gate<"added">();
    const { receiver } = withInbox({ inbox: listInbox({ add: () => hanging.passed }) });
    const first = Array.from({ length: 1_000 }, () => receiver.handle(signed()));
    expect(await receiver.handle(signed())).toMatchObject(code(503, "inbox_unavailable"));
    hanging.open("added");
    expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  it("is refused while a thousand hang in the inbox, although they were answered", async () => {
    const hanging = gate<"added">();
    const { receiver, lines } = withInbox({ inbox: listInbox({ add: () => hanging.passed }) });
    const late = Array.from({ length: 1_000 }, () => receiver.handle({ ...signed(), timeLeftMs: 3_000 }));
    expect(new Set((await Promise.all(late)).map(({ status }) => status))).toEqual(new Set([503]));
    const startedAt = performance.now();
    expect(await receiver.handle(signed())).toMatchObject(code(503, "inbox_unavailable"));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(lines).toHaveLength(1);
    hanging.open("added");
    expect(await receiver.handle(signed())).toMatchObject(OK);
  });

  it("is answered 503 inbox_full and event_in_flight as the inbox says", async () => {
    const full = withInbox({ inbox: listInbox({ add: () => Promise.reject(new WebhookError("inbox_full", "full")) }) });
    expect(await full.receiver.handle(signed())).toMatchObject(code(503, "inbox_full"));
    const error = new WebhookError("event_in_flight", "another stores it", { retryAfterMs: 7_000 });
    const busy = withInbox({ inbox: listInbox({ add: () => Promise.reject(error) }) });
    expect(await busy.receiver.handle(signed())).toMatchObject({
      ...code(503, "event_in_flight"),
      headers: { "retry-after": "7" },
    });
    expect(busy.lines).toEqual([]);
    expect(busy.reports).toMatchObject([{ outcome: "in_flight", code: "event_in_flight" }]);
  });

  it("that is forged, or a ping, is not stored", async () => {
    const { receiver, inbox } = withInbox();
    expect(await receiver.handle(signed(anEvent(), { secret: "another-secret-of-some-length" }))).toMatchObject({
      status: 401,
    });
    expect(await receiver.handle(signed({ event: "bluum-webhooks.ping" }))).toMatchObject({ status: 200 });
    expect(inbox.messages).toEqual([]);
  });

  it("is refused once the receiver is closed, and close waits for the inbox", async () => {
    const added = gate<"added">();
    const add = vi.fn(() => added.passed);
    const { receiver } = withInbox({ inbox: listInbox({ add }) });
    const reply = receiver.handle(signed());
    await until(() => add.mock.calls.length === 1, "the inbox is asked");
    const closed = receiver.close();
    expect(await receiver.handle(signed())).toMatchObject(code(503, "receiver_closed"));
    added.open("added");
    expect(await reply).toMatchObject(OK);
    await closed;
  });
});

describe("orderBy", () => {
  it("names the ordering key of a message", async () => {
    const setup = withInbox({ orderBy: ({ payload }) => String((payload.data as { id: string }).id) });
    expect(await stored(setup)).toMatchObject({ orderingKey: "ord_1" });
  });

  it("may name none", async () => {
    const setup = withInbox({ orderBy: () => undefined });
    expect(await stored(setup)).not.toHaveProperty("orderingKey");
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns a promise", (async () => "x") as never],
  ])("that %s is answered 500 receiver_failed, and nothing is stored", async (_, orderBy) => {
    const { receiver, inbox } = withInbox({ orderBy });
    expect(await receiver.handle(signed())).toMatchObject(code(500, "receiver_failed"));
    expect(inbox.messages).toEqual([]);
  });

  it("is refused without an inbox, and with one that cannot keep an order", () => {
    expect(() => bench({ orderBy: () => "a" })).toThrow(/orderBy needs the option inbox/);
    const inbox = listInbox({ noOrder: "it has none" });
    expect(() => withInbox({ inbox, orderBy: () => "a" })).toThrow(
      /orderBy is not possible with this inbox: it has none/,
    );
  });
});

describe("a receiver with an inbox", () => {
  it("needs a namespace", () => {
    expect(() => bench({ inbox: listInbox() })).toThrow(/namespace is required with the options store and inbox/);
  });

  it("is refused an object that is no inbox", () => {
    expect(() => withInbox({ inbox: { add() {} } as never })).toThrow(/inbox/);
  });

  it("has no outcome for middleware", async () => {
    await expect(withInbox().receiver.receive(signed())).rejects.toMatchObject({ code: "configuration_invalid" });
  });

  it("forgets an event and the success of its handlers", async () => {
    const setup = withInbox();
    const handler = vi.fn();
    setup.receiver.on("*", handler);
    const message = await stored(setup);
    await setup.receiver.process(message);
    expect(await setup.receiver.forget({ type: "order.filled", id: message.id })).toBe(true);
    await setup.receiver.process(message);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("does not pretend to forget handlers that it does not know", async () => {
    const setup = withInbox();
    const { id } = await stored(setup);
    await expect(setup.receiver.forget({ type: "order.filled", id })).rejects.toThrow(/needs the handlers/);
  });
});

describe("process", () => {
  it("runs the handlers with the event and the context of its delivery", async () => {
    const setup = withInbox();
    const handler = vi.fn();
    setup.receiver.on("order.filled", handler);
    const event = anEvent();
    const message = await stored(setup, event);
    await setup.receiver.process(message, { attempt: { number: 3, of: 12 } });
    expect(handler).toHaveBeenCalledWith(
      expect.objectContaining({ id: event.event_id, type: "order.filled", payload: event }),
      expect.objectContaining({
        eventId: event.event_id,
        eventKey: `order.filled/${event.event_id}`,
        identifiedBy: "payload",
        deduplicated: true,
        attempt: { number: 3, of: 12 },
      }),
    );
    expect(setup.reports.at(-1)).toMatchObject({ outcome: "processed", attempt: { number: 3, of: 12 } });
  });

  it("runs no handler twice that has succeeded, one or several", async () => {
    const setup = withInbox();
    const first = vi.fn();
    const second = vi.fn().mockRejectedValueOnce(new Error("no")).mockResolvedValue(undefined);
    setup.receiver.on("order.filled", first);
    setup.receiver.on("order.*", second);
    const message = await stored(setup);
    await expect(setup.receiver.process(message, { attempt: FIRST })).rejects.toThrow("no");
    await setup.receiver.process(message);
    await setup.receiver.process(message);
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(2);
  });

  it("rejects with what the handler threw, logs it with the attempt, and reports it", async () => {
    const setup = withInbox();
    const error = new Error("database away");
    setup.receiver.on("*", () => Promise.reject(error), { name: "book" });
    const message = await stored(setup);
    await expect(setup.receiver.process(message, { attempt: FIRST })).rejects.toBe(error);
    expect(setup.lines).toEqual([
      {
        level: "error",
        message: `bluum-webhooks: handler_failed: handler "book" failed for event "order.filled/${message.id}" of type "order.filled" in attempt 1 of 12`,
        error,
      },
    ]);
    expect(setup.reports.at(-1)).toMatchObject({ outcome: "failed", code: "handler_failed", error });
  });

  it.each([
    ["null", null],
    ["a text", "no"],
    ["a revoked proxy", revoked()],
  ])("rejects with an Error when the handler throws %s", async (_, thrown) => {
    const setup = withInbox();
    setup.receiver.on("*", () => {
      throw thrown;
    });
    const message = await stored(setup);
    await expect(setup.receiver.process(message)).rejects.toMatchObject({
      name: "WebhookError",
      code: "handler_failed",
    });
  });

  it("keeps a thrown text as the cause of that Error", async () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {
      throw "no";
    });
    const message = await stored(setup);
    await expect(setup.receiver.process(message)).rejects.toMatchObject({ cause: "no" });
  });

  it("leaves the code of a failure to no handler", async () => {
    const setup = withInbox();
    const thrown = new WebhookError("payload_not_json", "thrown by a handler");
    setup.receiver.on("*", () => {
      throw thrown;
    });
    const message = await stored(setup);
    await expect(setup.receiver.process(message)).rejects.toBe(thrown);
    expect(setup.reports.at(-1)).toMatchObject({ outcome: "failed", code: "handler_failed", error: thrown });
  });

  it("passes a ParkEvent on, without a line of its own", async () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {
      throw new ParkEvent("unknown account");
    });
    const message = await stored(setup);
    await expect(setup.receiver.process(message)).rejects.toBeInstanceOf(ParkEvent);
    expect(setup.lines).toEqual([]);
  });

  it("waits for the claim of a worker that died", async () => {
    const store = memoryStore();
    const setup = withInbox({ store, leaseMs: 1_000 });
    const handler = vi.fn();
    setup.receiver.on("*", handler, { name: "book" });
    const message = await stored(setup);
    await store.claim(`${message.key}#book`, { token: "of a dead worker", leaseMs: 300 });
    await setup.receiver.process(message);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("gives up on the claim of a worker that lives", async () => {
    const store = memoryStore();
    const setup = withInbox({ store, leaseMs: 1_000 });
    setup.receiver.on("*", () => {}, { name: "book" });
    const message = await stored(setup);
    await store.claim(`${message.key}#book`, { token: "of another worker", leaseMs: 60_000 });
    await expect(setup.receiver.process(message)).rejects.toMatchObject({ code: "event_in_flight" });
  });

  it("rejects with handler_timeout after maxProcessingMs, and a late success still counts", async () => {
    const setup = withInbox({ leaseMs: 1_000, maxProcessingMs: 1_000 });
    const slow = gate();
    let context: DeliveryContext | undefined;
    const handler = vi.fn(async (_: unknown, given: DeliveryContext) => {
      context = given;
      await slow.passed;
    });
    setup.receiver.on("*", handler);
    const message = await stored(setup);
    await expect(setup.receiver.process(message)).rejects.toMatchObject({ code: "handler_timeout" });
    expect(context?.signal.aborted).toBe(true);
    slow.open();
    await until(() => setup.inbox.messages.length === 1, "stored");
    await setup.receiver.process(message);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("aborts the handlers with the signal that it was given", async () => {
    const setup = withInbox();
    const outer = new AbortController();
    setup.receiver.on("*", (_, { signal }) => {
      outer.abort(new Error("the job was lost"));
      signal.throwIfAborted();
    });
    const message = await stored(setup);
    await expect(setup.receiver.process(message, { signal: outer.signal })).rejects.toThrow("the job was lost");
  });

  it("aborts a running handler at once, and starts no further one", async () => {
    const setup = withInbox();
    const outer = new AbortController();
    const second = vi.fn();
    setup.receiver.on("*", (_, { signal }) => {
      outer.abort(new Error("the job was lost"));
      expect(signal.reason).toBe(outer.signal.reason);
    });
    setup.receiver.on("*", second);
    const message = await stored(setup);
    await expect(setup.receiver.process(message, { signal: outer.signal })).rejects.toThrow("the job was lost");
    await expect(setup.receiver.process(message, { signal: outer.signal })).rejects.toThrow("the job was lost");
    expect(second).not.toHaveBeenCalled();
    await setup.receiver.process(message);
    expect(second).toHaveBeenCalledTimes(1);
  });

  it("leaves nothing on a signal that outlives the event", async () => {
    const setup = withInbox();
    const outer = new AbortController();
    setup.receiver.on("*", ({ id }, { signal }) => {
      expect(getEventListeners(outer.signal, "abort")).toHaveLength(1);
      if (signal.aborted || id === "none") throw new Error("no");
    });
    await setup.receiver.process(await stored(setup), { signal: outer.signal });
    expect(getEventListeners(outer.signal, "abort")).toEqual([]);
  });

  it("runs no handler again whose success is recorded only once the store is back", async () => {
    const store = faultyStore();
    const setup = withInbox({ store, leaseMs: 1_000 });
    const handler = vi.fn(() => {
      for (const verb of VERBS) store.break(verb, rejects);
    });
    setup.receiver.on("*", handler);
    const message = await stored(setup);
    const processed = setup.receiver.process(message);
    await until(() => store.count("complete") > 2, "the completion is retried");
    for (const verb of VERBS) store.heal(verb);
    await processed;
    await setup.receiver.process(message);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("fails when a success could not be recorded before another worker took the event", async () => {
    const store = faultyStore();
    const setup = withInbox({ store, leaseMs: 1_000 });
    const name = "book";
    setup.receiver.on("*", () => store.break("complete", rejects), { name });
    const message = await stored(setup);
    const processed = setup.receiver.process(message);
    await until(() => store.count("complete") > 0, "the completion has failed");
    await store.forget?.(`${message.key}#${name}`);
    await store.sound.claim(`${message.key}#${name}`, { token: "of another worker", leaseMs: 60_000 });
    store.heal("complete");
    await expect(processed).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("acknowledges an event that no handler matches, or rejects it by onUnhandled", async () => {
    const setup = withInbox();
    setup.receiver.on("kyc.*", () => {});
    await setup.receiver.process(await stored(setup));
    expect(setup.lines).toMatchObject([{ message: expect.stringContaining("removed from the inbox") }]);
    expect(setup.reports.at(-1)).toMatchObject({ outcome: "processed", code: "unhandled" });
    const strict = withInbox({ onUnhandled: "reject" });
    strict.receiver.on("kyc.*", () => {});
    await expect(strict.receiver.process(await stored(strict))).rejects.toMatchObject({ code: "unhandled" });
  });

  it("rejects when no handler is registered", async () => {
    const setup = withInbox();
    await expect(setup.receiver.process(await stored(setup))).rejects.toMatchObject({ code: "no_handlers" });
  });

  it.each([
    ["nothing", undefined],
    ["a text", "{}"],
    ["an object of something else", { a: 1 }],
    ["a newer version", { v: 2 }],
    ["a message without a body", { v: 1, key: "orders-api/a/b", id: "b", type: "a" }],
  ])("rejects %s", async (_, message) => {
    const { receiver } = withInbox();
    receiver.on("*", () => {});
    await expect(receiver.process(message)).rejects.toMatchObject({ code: "inbox_message_invalid" });
  });

  it.each([7, "", "é=1", "a=1\n", `a=${"x".repeat(511)}`])(
    "rejects a message with the tracestate %j",
    async (tracestate) => {
      const setup = withInbox();
      setup.receiver.on("*", () => {});
      const message = await stored(setup);
      await setup.receiver.process({ ...message, tracestate: `a=${"x".repeat(510)}` });
      await expect(setup.receiver.process({ ...message, tracestate })).rejects.toThrow(/tracestate/);
    },
  );

  it("rejects a message of another namespace, and one whose body was altered", async () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    const message = await stored(setup);
    const foreign = { ...message, key: message.key.replace("orders-api", "payments") };
    await expect(setup.receiver.process(foreign)).rejects.toThrow(/another namespace/);
    await expect(setup.receiver.process({ ...message, body: "{" })).rejects.toMatchObject({ code: "payload_not_json" });
  });
});

describe("work", () => {
  it("gives the inbox what to run and whom to tell", async () => {
    const setup = withInbox();
    const handler = vi.fn();
    setup.receiver.on("*", handler);
    setup.receiver.work({ concurrency: 3, pollMs: 50 });
    const message = await stored(setup);
    expect(setup.inbox.worker?.options).toMatchObject({ concurrency: 3, pollMs: 50 });
    await setup.inbox.worker?.process(message, FIRST);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("logs and reports an event that was parked", () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    setup.receiver.work();
    const error = { message: "unknown account" };
    const key = "orders-api/order.filled/evt_1";
    setup.inbox.worker?.options.onParked({ key, type: "order.filled", attempts: 12, error });
    expect(setup.lines).toEqual([
      {
        level: "error",
        message: `bluum-webhooks: parked: event "${key}" of type "order.filled" failed and waits to be redriven (attempts: 12)`,
        error,
      },
    ]);
    expect(setup.reports).toMatchObject([{ outcome: "parked", type: "order.filled" }]);
  });

  it("logs what its worker reports", () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    setup.receiver.work();
    setup.inbox.worker?.options.onError(new Error("away"));
    expect(setup.lines).toMatchObject([{ level: "error", message: expect.stringContaining("reported an error") }]);
  });

  it("is refused without an inbox, and before any handler", () => {
    expect(() => bench().receiver.work()).toThrow(/work\(\) needs the option inbox/);
    expect(() => withInbox().receiver.work()).toThrow(/work\(\) needs handlers/);
  });

  it("refuses handlers that come too late", () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    setup.receiver.work();
    expect(() => setup.receiver.on("*", () => {})).toThrow(/after work\(\)/);
  });

  it("ends with the receiver", async () => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    setup.receiver.work();
    await setup.receiver.close({ timeoutMs: 1_000 });
    expect(setup.inbox.worker?.closedWith).toEqual({ timeoutMs: 1_000 });
    expect(() => setup.receiver.work()).toThrow(expect.objectContaining({ code: "receiver_closed" }));
  });

  it.each([
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
    [1.5, 2],
    [-1, 0],
    [undefined, 30_000],
  ])("a worker that is closed within %s ms is given a time that a timer can wait", async (asked, given) => {
    const setup = withInbox();
    setup.receiver.on("*", () => {});
    await setup.receiver.work().close(asked === undefined ? {} : { timeoutMs: asked });
    expect(setup.inbox.worker?.closedWith).toEqual({ timeoutMs: given });
  });

  it("runs many events at once without a warning of Node", async () => {
    const setup = withInbox();
    const slow = gate();
    const warnings: string[] = [];
    const note = ({ name }: Error) => void warnings.push(name);
    process.on("warning", note);
    let running = 0;
    setup.receiver.on("*", async () => {
      running += 1;
      await slow.passed;
    });
    setup.receiver.work({ concurrency: 20 });
    const runs: (Promise<void> | undefined)[] = [];
    for (let count = 0; count < 20; count += 1) runs.push(setup.inbox.worker?.process(await stored(setup), FIRST));
    await until(() => running === 20, "all run");
    slow.open();
    await Promise.all(runs);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("aborts what still runs when its worker has given it back", async () => {
    const setup = withInbox();
    const signals: AbortSignal[] = [];
    const slow = gate();
    setup.receiver.on("*", async (_, { signal }) => {
      signals.push(signal);
      await slow.passed;
    });
    const further = vi.fn();
    setup.receiver.on("*", further);
    const worker = setup.receiver.work();
    const run = setup.inbox.worker?.process(await stored(setup), FIRST);
    await until(() => signals.length === 1, "the handler runs");
    await worker.close({ timeoutMs: 0 });
    expect(signals[0]?.reason).toMatchObject({ code: "receiver_closed" });
    slow.open();
    await expect(run).rejects.toMatchObject({ code: "receiver_closed" });
    expect(further).not.toHaveBeenCalled();
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
