// Messages as the receiver stores them, and how they get into an inbox.
import { randomBytes } from "node:crypto";
import { bodyOf } from "../material/bodies.mjs";

export const NAMESPACE = "bench";
const RETENTION_MS = 7 * 24 * 3_600_000;

/** A body is made once: only the id of an event matters to an inbox. */
const bodies = new Map();

/** Fresh messages with bodies of `size` bytes. Their ids are random, so that they go anywhere into an index. */
export function freshMessages(count, size = 2_048) {
  if (!bodies.has(size)) bodies.set(size, bodyOf(size, "ascii").toString());
  const body = bodies.get(size);
  return Array.from({ length: count }, () => messageOf(`evt_${randomBytes(8).toString("hex")}`, body));
}

function messageOf(id, body) {
  return {
    v: 1,
    key: `${NAMESPACE}/order.filled/${id}`,
    id,
    type: "order.filled",
    body,
    headers: { "content-type": "application/json", "user-agent": "Bluum-Webhooks/1.0" },
    identifiedBy: "payload",
    receivedAt: Date.now(),
    secretIndex: 0,
  };
}

/** Adds messages, `concurrency` of them at any time. */
export function addAll(inbox, messages, concurrency) {
  return inFlight(messages, concurrency, async (message) => {
    const answer = await inbox.add(message, { retentionMs: RETENTION_MS });
    if (answer !== "added") throw new Error(`a fresh event was ${answer}`);
  });
}

/** Does something with each item, `concurrency` of them at any time. */
export async function inFlight(items, concurrency, work) {
  let next = 0;
  const one = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}
