import { randomUUID } from "node:crypto";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { createReceiver, memoryStore, ParkEvent } from "bluum-webhooks";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { anEvent, gate, SECRET as secret, signed } from "../pipeline/receiving.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";
import { findRabbitmq, type RabbitmqService } from "../services/rabbitmq.ts";
import { type Handler, recipe } from "./queue-recipes.ts";

const service = await findRabbitmq();
afterAll(() => service?.stop());
const PATIENCE = { timeout: 15_000, interval: 20 };
const ATTEMPTS = 3;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!service)("the RabbitMQ recipe of docs/guides/queues.md", async () => {
  const { url, port } = (service ?? {}) as RabbitmqService;
  const rabbitQueue = service && (await recipe("rabbitQueue"));

  async function connection(at = url): Promise<{ model: ChannelModel; channel: ConfirmChannel }> {
    const model = await connect(at);
    model.on("error", () => {});
    cleanups.push(() => model.close().catch(() => {}));
    const channel = await model.createConfirmChannel();
    channel.on("error", () => {});
    return { model, channel };
  }

  /** A queue of its own, and a receiver that puts its events there. */
  async function setUp(at?: string) {
    const name = `bluum-test-${randomUUID()}`;
    const queue = rabbitQueue?.(name, { attempts: ATTEMPTS, pauseMs: 50 });
    if (queue === undefined) throw new Error("no RabbitMQ");
    const { channel } = await connection();
    await queue.declare(channel);
    cleanups.push(async () => {
      const { channel: deleting } = await connection();
      for (const each of [name, `${name}.retry`, `${name}.parked`]) await deleting.deleteQueue(each);
    });
    const accepting = await connection(at);
    const store = memoryStore();
    const inbox = queue.inbox(accepting.channel, store);
    const options = { secret, namespace: "orders-api", inbox, logger: false } as const;
    const handle = async (event: object) => (await createReceiver(options).handle(signed(event))).status;
    const processing = (handler: Handler, own = store) =>
      createReceiver({ ...options, store: own }).on("order.filled", handler);
    const parked = async () => (await channel.checkQueue(`${name}.parked`)).messageCount;
    return { name, queue, channel, accepting, handle, processing, parked };
  }

  it("runs the handlers of an event once, also if it is delivered twice", async () => {
    const { queue, handle, processing, name, channel } = await setUp();
    const handler = vi.fn();
    const event = anEvent();
    expect(await handle(event)).toBe(200);
    expect(await handle(event)).toBe(200);
    await queue.work((await connection()).channel, processing(handler));
    await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(1), PATIENCE);
    expect(handler.mock.calls[0]?.[1]).toMatchObject({
      eventId: event.event_id,
      attempt: { number: 1, of: ATTEMPTS },
    });
    await vi.waitFor(async () => expect(await channel.checkQueue(name)).toMatchObject({ messageCount: 0 }), PATIENCE);
  });

  it("retries after a pause, counts the attempts, and parks after the last", async () => {
    const { queue, handle, processing, parked } = await setUp();
    const attempts: number[] = [];
    const receiver = processing((_event, { attempt }) => {
      attempts.push(attempt.number);
      throw new Error("never");
    });
    await handle(anEvent());
    await queue.work((await connection()).channel, receiver);
    await vi.waitFor(async () => expect(await parked()).toBe(1), PATIENCE);
    expect(attempts).toEqual([1, 2, 3]);
  });

  it("parks at once for a ParkEvent, and what is no message after its attempts", async () => {
    const { queue, handle, processing, parked, name, channel } = await setUp();
    const handler = vi.fn(() => Promise.reject(new ParkEvent("no retry helps")));
    await handle(anEvent());
    channel.sendToQueue(name, Buffer.from("no JSON"));
    await queue.work((await connection()).channel, processing(handler));
    await vi.waitFor(async () => expect(await parked()).toBe(2), PATIENCE);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("delivers an event again whose worker died, as its next attempt", async () => {
    const { queue, handle, processing } = await setUp();
    const attempts: number[] = [];
    const dying = await connection();
    const onError = vi.fn();
    const died = gate();
    const handler: Handler = (_event, { attempt }) => {
      attempts.push(attempt.number);
      return attempt.number === 1 ? died.passed.then(() => Promise.reject(new Error("late"))) : undefined;
    };
    const receiver = processing(handler);
    await handle(anEvent());
    await queue.work(dying.channel, receiver, onError);
    await vi.waitFor(() => expect(attempts).toEqual([1]), PATIENCE);
    await dying.model.close();
    died.open();
    await vi.waitFor(() => expect(onError).toHaveBeenCalled(), PATIENCE);
    await queue.work((await connection()).channel, receiver);
    await vi.waitFor(() => expect(attempts).toEqual([1, 2]), PATIENCE);
  });

  it("parks an event whose workers die again and again", async () => {
    const { queue, handle, processing, parked } = await setUp();
    await handle(anEvent());
    let runs = 0;
    const killing = () => {
      runs += 1;
      return new Promise<never>(() => {});
    };
    while ((await parked()) === 0) {
      const dying = await connection();
      const before = runs;
      // Its own store stands for a claim that has expired.
      await queue.work(dying.channel, processing(killing, memoryStore()));
      await vi.waitFor(async () => expect(runs > before || (await parked()) === 1).toBe(true), PATIENCE);
      await dying.model.close();
    }
    expect(runs).toBeLessThanOrEqual(ATTEMPTS + 1);
  });

  it("acknowledges nothing while RabbitMQ is away or hangs", async () => {
    const proxy = await flakyProxy(port);
    cleanups.push(() => proxy.close());
    const { handle, name, channel } = await setUp(`amqp://guest:guest@127.0.0.1:${proxy.port}`);
    proxy.stall();
    const hanging = handle(anEvent());
    await vi.waitFor(() => expect(proxy.sent()).toContain("AMQP"), PATIENCE);
    await proxy.refuse();
    expect(await hanging).toBe(503);
    expect(await handle(anEvent())).toBe(503);
    expect(await channel.checkQueue(name)).toMatchObject({ messageCount: 0 });
  });

  it("acknowledges nothing whose queue is missing", async () => {
    const { handle, name, channel } = await setUp();
    await channel.deleteQueue(name);
    expect(await handle(anEvent())).toBe(503);
    expect(await handle(anEvent())).toBe(503);
  });
});
