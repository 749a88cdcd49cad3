import { randomUUID } from "node:crypto";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { createReceiver, memoryStore, ParkEvent } from "bluum-webhooks";
import { afterAll, describe, expect, it, type TestContext, vi } from "vitest";
import { anEvent, SECRET as secret, signed } from "../pipeline/receiving.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";
import { findNats, type NatsService } from "../services/nats.ts";
import { type Handler, recipe } from "./queue-recipes.ts";

const service = await findNats();
afterAll(() => service?.stop());
const PATIENCE = { timeout: 15_000, interval: 20 };
const ATTEMPTS = 3;

type Afterwards = TestContext["onTestFinished"];

// All at once: each worker takes seconds to stop.
describe.skipIf(!service)("the JetStream recipe of docs/guides/queues.md", { concurrent: true }, async () => {
  const { url, port } = (service ?? {}) as NatsService;
  const jetstreamQueue = service && (await recipe("jetstreamQueue"));

  async function connection(afterwards: Afterwards, servers = url): Promise<NatsConnection> {
    const connected = await connect({ servers, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    afterwards(() => connected.close());
    return connected;
  }

  /** A stream of its own, and a receiver that puts its events there. */
  async function setUp(afterwards: Afterwards, at?: string) {
    const name = `bluum-test-${randomUUID()}`;
    const queue = jetstreamQueue?.(name, { attempts: ATTEMPTS, pauseMs: 50, ackWaitMs: 500 });
    if (queue === undefined) throw new Error("no NATS");
    const own = await connection(afterwards);
    await queue.declare(own);
    const { streams, consumers } = await jetstreamManager(own);
    afterwards(async () => void (await streams.delete(name)));
    const inbox = queue.inbox(await connection(afterwards, at), memoryStore());
    const options = { secret, namespace: "orders-api", inbox, logger: false } as const;
    const handle = async (event: object) => (await createReceiver(options).handle(signed(event))).status;
    const processing = (handler: Handler) => createReceiver(options).on("order.filled", handler);
    const stored = async (subject: string) => {
      const { state } = await streams.info(name, { subjects_filter: `${name}.${subject}` });
      return state.subjects?.[`${name}.${subject}`] ?? 0;
    };
    const done = async () => {
      const { num_pending, num_ack_pending } = await consumers.info(name, "worker");
      return num_pending + num_ack_pending === 0;
    };
    const work = async (handler: Handler, by?: NatsConnection, onError: (error: unknown) => void = () => {}) => {
      const stop = await queue.work(by ?? (await connection(afterwards)), processing(handler), onError);
      afterwards(stop);
      return stop;
    };
    return { name, own, handle, work, stored, done };
  }

  it("runs the handlers of an event once, also if it is delivered twice", async ({ onTestFinished: afterwards }) => {
    const { handle, work, stored, done } = await setUp(afterwards);
    const handler = vi.fn();
    const event = anEvent();
    expect(await handle(event)).toBe(200);
    expect(await handle(event)).toBe(200);
    expect(await stored("events")).toBe(1);
    await work(handler);
    await vi.waitFor(async () => expect(await done()).toBe(true), PATIENCE);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(handler.mock.calls[0]?.[1]).toMatchObject({
      eventId: event.event_id,
      attempt: { number: 1, of: ATTEMPTS },
    });
  });

  it("retries after a pause, counts the attempts, and parks after the last", async ({ onTestFinished: afterwards }) => {
    const { handle, work, stored, done } = await setUp(afterwards);
    const attempts: number[] = [];
    await handle(anEvent());
    await work((_event, { attempt }) => {
      attempts.push(attempt.number);
      throw new Error("never");
    });
    await vi.waitFor(async () => expect(await done()).toBe(true), PATIENCE);
    expect(await stored("parked")).toBe(1);
    expect(attempts).toEqual([1, 2, 3]);
  });

  it("parks at once for a ParkEvent, and what is no message after its attempts", async ({
    onTestFinished: afterwards,
  }) => {
    const { name, own, handle, work, stored, done } = await setUp(afterwards);
    const handler = vi.fn(() => Promise.reject(new ParkEvent("no retry helps")));
    await handle(anEvent());
    await jetstream(own).publish(`${name}.events`, "no JSON");
    await work(handler);
    await vi.waitFor(async () => expect(await done()).toBe(true), PATIENCE);
    expect(await stored("parked")).toBe(2);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("keeps an event for as long as its handler works, longer than the ack wait", async ({
    onTestFinished: afterwards,
  }) => {
    const { handle, work, done } = await setUp(afterwards);
    const handler = vi.fn(() => new Promise<void>((resolve) => void setTimeout(resolve, 1_500)));
    await handle(anEvent());
    await work(handler);
    await vi.waitFor(async () => expect(await done()).toBe(true), PATIENCE);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("delivers an event again whose worker died, as its next attempt", async ({ onTestFinished: afterwards }) => {
    const { handle, work, done } = await setUp(afterwards);
    const attempts: number[] = [];
    const dying = await connection(afterwards);
    const handler: Handler = (_event, { attempt }) => {
      attempts.push(attempt.number);
      return attempt.number === 1 ? dying.close().then(() => Promise.reject(new Error("late"))) : undefined;
    };
    await handle(anEvent());
    await work(handler, dying);
    await vi.waitFor(() => expect(attempts).toEqual([1]), PATIENCE);
    await work(handler);
    await vi.waitFor(async () => expect(await done()).toBe(true), PATIENCE);
    expect(attempts).toEqual([1, 2]);
  });

  it("acknowledges nothing while NATS is away or hangs, and goes on afterwards", async ({
    onTestFinished: afterwards,
  }) => {
    const proxy = await flakyProxy(port);
    afterwards(() => proxy.close());
    const { handle, stored } = await setUp(afterwards, `nats://127.0.0.1:${proxy.port}`);
    const event = anEvent();
    proxy.stall();
    expect(await handle(event)).toBe(503);
    await proxy.refuse();
    expect(await handle(event)).toBe(503);
    proxy.pass();
    await proxy.open();
    await vi.waitFor(async () => expect(await handle(event)).toBe(200), PATIENCE);
    expect(await stored("events")).toBe(1);
  });

  it("acknowledges nothing while there is no stream", async ({ onTestFinished: afterwards }) => {
    const { name, own, handle } = await setUp(afterwards);
    const { streams } = await jetstreamManager(own);
    await streams.delete(name);
    expect(await handle(anEvent())).toBe(503);
    await streams.add({ name, subjects: [`${name}.events`] });
  });
});
