import { describe, expect, it, vi } from "vitest";
import type { InboxMessage } from "../../src/inbox/message.ts";
import { type QueueInboxOptions, queueInbox } from "../../src/inbox/queue.ts";
import { createReceiver } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { anEvent, gate, SECRET as secret, signed } from "../pipeline/receiving.ts";

const TERMS = { retentionMs: 24 * 60 * 60_000 };

function message(id = "evt_1"): InboxMessage {
  return {
    ...{ v: 1, key: `orders-api/order.filled/${id}`, id, type: "order.filled", body: "{}" },
    ...{ identifiedBy: "payload", receivedAt: 0, secretIndex: 0 },
  };
}

/** A queue that keeps its messages in memory, as JSON. */
function inboxOn(options: Partial<QueueInboxOptions> = {}) {
  const queue: string[] = [];
  const add = vi.fn(async (added: InboxMessage) => void queue.push(JSON.stringify(added)));
  return { queue, add, inbox: queueInbox({ store: memoryStore(), add, ...options }) };
}

describe("add", () => {
  it("puts a message into the queue once, however often it comes", async () => {
    const { inbox, queue } = inboxOn();
    expect(await inbox.add(message(), TERMS)).toBe("added");
    expect(await inbox.add(message(), TERMS)).toBe("duplicate");
    expect(await inbox.add(message("evt_2"), TERMS)).toBe("added");
    expect(queue.map((json) => JSON.parse(json))).toEqual([message(), message("evt_2")]);
  });

  it("is in flight while another adds the same message", async () => {
    const stored = gate();
    const { inbox } = inboxOn({ add: () => stored.passed });
    const first = inbox.add(message(), TERMS);
    await expect(inbox.add(message(), TERMS)).rejects.toMatchObject({ code: "event_in_flight" });
    stored.open();
    expect(await first).toBe("added");
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no route"))],
    [
      "throws",
      () => {
        throw new Error("no route");
      },
    ],
  ])("fails as the queue does when that %s, and can be tried again at once", async (_, fail) => {
    const { inbox, add, queue } = inboxOn();
    add.mockImplementationOnce(fail);
    await expect(inbox.add(message(), TERMS)).rejects.toThrow("no route");
    expect(await inbox.add(message(), TERMS)).toBe("added");
    expect(queue).toHaveLength(1);
  });
});

describe("add, on a store whose claim was granted although its answer was lost,", () => {
  it("fails, and can be tried again at once", async () => {
    const store = memoryStore();
    const losing = vi.fn(store.claim).mockImplementationOnce(async (key, by) => {
      await store.claim(key, by);
      throw new Error("connection lost");
    });
    const { inbox } = inboxOn({ store: { ...store, claim: losing } });
    await expect(inbox.add(message(), TERMS)).rejects.toThrow("connection lost");
    expect(await inbox.add(message(), TERMS)).toBe("added");
  });
});

describe("a receiver with an inbox on a queue", () => {
  const event = anEvent();
  const delivery = () => signed(event);

  it("answers 2xx once the queue has the event, and processes what a worker takes from it", async () => {
    const { inbox, queue } = inboxOn();
    const receiver = createReceiver({ secret, namespace: "orders-api", inbox, logger: false });
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    expect(await receiver.handle(delivery())).toMatchObject({ status: 200 });
    expect(await receiver.handle(delivery())).toMatchObject({ status: 200 });
    expect(queue).toHaveLength(1);
    for (const _ of ["once", "delivered twice"]) {
      await receiver.process(JSON.parse(queue[0] ?? ""), { attempt: { number: 2, of: 5 } });
    }
    expect(handler).toHaveBeenCalledTimes(1);
    expect(handler.mock.calls[0]?.[1]).toMatchObject({ eventId: event.event_id, attempt: { number: 2, of: 5 } });
  });

  it("answers 503 while the queue is away", async () => {
    const { inbox, add } = inboxOn();
    add.mockRejectedValueOnce(new Error("away"));
    const receiver = createReceiver({ secret, namespace: "orders-api", inbox, logger: false });
    expect(await receiver.handle(delivery())).toMatchObject({ status: 503 });
    expect(await receiver.handle(delivery())).toMatchObject({ status: 200 });
  });

  it("has no worker of its own", () => {
    const { inbox } = inboxOn();
    const receiver = createReceiver({ secret, namespace: "orders-api", inbox, logger: false }).on("*", () => {});
    expect(() => receiver.work()).toThrow(/the option work is missing.*receiver\.process\(message\)/);
  });

  it("refuses orderBy if the queue keeps no order", () => {
    const { inbox } = inboxOn({ noOrder: "it is a standard queue" });
    expect(() => createReceiver({ secret, namespace: "orders-api", inbox, orderBy: () => "a" })).toThrow(
      "it is a standard queue",
    );
  });
});

describe("the tools", () => {
  const unavailable = { name: "WebhookError", code: "configuration_invalid" };

  it("are the queue's own", async () => {
    const { inbox } = inboxOn();
    await expect(inbox.stats()).rejects.toMatchObject(unavailable);
    await expect(inbox.parked()).rejects.toMatchObject(unavailable);
    await expect(inbox.redrive({ all: true })).rejects.toMatchObject(unavailable);
    await expect(inbox.discard({ all: true })).rejects.toThrow(/the option discard is missing.*the queue's own tools/);
  });

  it("can be passed", async () => {
    const stats = { waiting: 1, delayed: 2, active: 3, parked: 4, oldestWaitingMs: 5 };
    const worker = { close: async () => {} };
    const redrive = vi.fn(async () => 6);
    const { inbox } = inboxOn({ stats: async () => stats, work: () => worker, redrive });
    expect(await inbox.stats()).toEqual(stats);
    expect(await inbox.redrive({ keys: ["a"] })).toBe(6);
    expect(redrive).toHaveBeenCalledWith({ keys: ["a"] });
    const nothing = { maxProcessingMs: 1, onParked() {}, onError() {} };
    expect(inbox.work(async () => {}, nothing)).toBe(worker);
  });
});

describe("the options of queueInbox", () => {
  it("give it a name", () => {
    expect(inboxOn().inbox.name).toBe("queue");
    expect(inboxOn({ name: "sqs" }).inbox).toMatchObject({ name: "sqs" });
    expect("noOrder" in inboxOn().inbox).toBe(false);
  });

  it.each([
    [{ add: undefined }, "add must be a function"],
    [{ store: {} }, "store has no method claim"],
    [{ store: undefined }, "store has no method claim"],
    [{ name: "" }, "name must be a text that is not empty"],
    [{ noOrder: true }, "noOrder must be a text that is not empty"],
    [{ stats: 1 }, "stats must be a function"],
    [{ retry: {} }, "retry is no option"],
  ])("are checked: %j", (options, why) => {
    expect(() => inboxOn(options as Partial<QueueInboxOptions>)).toThrow(`queueInbox: ${why}`);
  });
});
