import { randomBytes } from "node:crypto";
import { WebhookError } from "../errors.ts";
import type { ClaimResult, DedupeStore } from "../stores/store.ts";

/** How long another process may take to store the same event, in milliseconds; longer than a receiver waits for it. */
const LEASE_MS = 15_000;

/**
 * Adds a message to a queue that is not in the same transaction as the dedupe store: claims it, adds it, and remembers it as stored.
 * If the process dies between the last two, the next delivery adds it once more; the handlers that have succeeded by then do not run
 * again.
 *
 * @param add resolves once the queue has stored the message
 * @throws WebhookError `event_in_flight` while another process adds the same message; else what the store or `add` threw
 */
export async function addOnce(
  store: DedupeStore,
  key: string,
  retentionMs: number,
  add: () => Promise<unknown>,
): Promise<"added" | "duplicate"> {
  const token = randomBytes(16).toString("base64url");
  const release = async () => {
    try {
      await store.release(key, { token });
    } catch {
      // It expires with its lease.
    }
  };
  let claim: ClaimResult;
  try {
    claim = await store.claim(key, { token, leaseMs: LEASE_MS });
  } catch (error) {
    // It may have been granted although its answer was lost.
    void release();
    throw error;
  }
  if (claim.status === "completed") return "duplicate";
  if (claim.status === "in_flight") {
    throw new WebhookError("event_in_flight", "another process is storing the event", {
      retryAfterMs: claim.remainingMs,
    });
  }
  try {
    await add();
  } catch (error) {
    await release();
    throw error;
  }
  await store.complete(key, { token, retentionMs });
  return "added";
}
