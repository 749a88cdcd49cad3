// Fresh events for a store: keys and tokens as the receiver makes them.
import { randomBytes } from "node:crypto";

export const LEASE_MS = 30_000;
export const RETENTION_MS = 7 * 24 * 3_600_000;

let next = 0;

/** A key that no other event has, joined as the receiver joins it: a store gets a text of several pieces. */
function freshKey() {
  const id = Buffer.from(`evt_${(next++).toString(16).padStart(16, "0")}`, "latin1").latin1Slice();
  const key = `order.filled/${id}`;
  return `default/${key}`;
}

/** Keys and tokens, made before the clock runs. */
export function freshEvents(count) {
  return Array.from({ length: count }, () => ({ key: freshKey(), token: randomBytes(16).toString("base64url") }));
}

/** One event through a store, from the claim to the completion. */
export async function claimAndComplete(store, { key, token }, retentionMs = RETENTION_MS) {
  const { status } = await store.claim(key, { token, leaseMs: LEASE_MS });
  if (status !== "claimed") throw new Error(`a fresh event was ${status}`);
  const stored = await store.complete(key, { token, retentionMs });
  if (stored !== "stored") throw new Error(`a claimed event was ${stored}`);
}

/** Events through a store, `concurrency` of them at any time. */
export async function claimAndCompleteAll(store, events, concurrency) {
  let index = 0;
  const worker = async () => {
    while (index < events.length) await claimAndComplete(store, events[index++]);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
