import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Delivery } from "../../src/delivery.ts";
import type { ReceiverOptions } from "../../src/index.ts";
import type { ClaimResult } from "../../src/stores/store.ts";
import { type FaultyStore, faultyStore } from "./faulty-store.ts";
import { anEvent, type Bench, bench, signed } from "./receiving.ts";

export const LEASE = 1_000;
export const OK = { status: 200, body: '{"received":true}' };
export const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };

/** The reply with an error code. */
export function code(status: number, name: string): { status: number; body: string } {
  return { status, body: `{"error":{"code":"${name}"}}` };
}

/** A receiver on a store that can be broken, with the shortest lease. */
export function faultyBench(options: Partial<ReceiverOptions> = {}): Bench & { store: FaultyStore } {
  const store = faultyStore();
  return { store, ...bench({ store, namespace: "life", leaseMs: LEASE, ...options }) };
}

/** One event, its delivery and the key that its claim has in the store. */
export function one(): { event: ReturnType<typeof anEvent>; delivery: Delivery; key: string } {
  const event = anEvent();
  return { event, delivery: signed(event), key: `life/order.filled/${event.event_id}` };
}

/** Another process claims the event, as it can once the lease has expired. */
export async function takeOver(store: FaultyStore, key: string): Promise<void> {
  await store.sound.forget?.(key);
  expect(await store.sound.claim(key, { token: "another", leaseMs: 60_000 })).toEqual({ status: "claimed" });
}

/** What a third process gets when it claims the event. */
export function found(store: FaultyStore, key: string): Promise<ClaimResult> {
  return store.sound.claim(key, { token: "a third", leaseMs: 1 });
}

/** Stops time for each test of a file, and fails a test that leaves a rejection unhandled. */
export function inStoppedTime(): void {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    process.on("unhandledRejection", note);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    expect(unhandled.splice(0)).toEqual([]);
  });
}

/** Advances the time of the receiver and of its memory store. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
