import type { Answer, Delivery } from "./delivery.ts";
import { receiversAnswer } from "./receivers-answer.ts";

/** Longer than any lease of a receiver, which is 55 s at most. */
const MAX_WAIT_MS = 60_000;

/**
 * How long to wait, in real milliseconds, before an event is sent again whose last answer was `event_in_flight`; 0 for any other
 * answer. A claim that a killed process left behind ends with its lease, which runs by the wall clock and not by the sandbox's.
 *
 * @param others the other deliveries: if one of them holds the claim, it ends with that request, and there is no need to wait
 */
export function leaseWaitMs(delivery: Delivery, others: Iterable<Delivery>): number {
  const { at, answer } = delivery.attempts.at(-1) ?? { at: 0, answer: null };
  const askedMs = inFlightMs(answer);
  if (askedMs === 0) return 0;
  for (const other of others) if (isCopy(other, delivery) && holdsClaim(other, at)) return 0;
  return askedMs;
}

function isCopy(other: Delivery, { id, eventId, endpointId }: Delivery): boolean {
  return other.id !== id && other.eventId === eventId && other.endpointId === endpointId;
}

/** Whether a copy is being sent, or was answered since `at` by something else than `event_in_flight`. */
function holdsClaim({ state, updatedAt, attempts }: Delivery, at: number): boolean {
  const answer = attempts.at(-1)?.answer ?? null;
  return state === "sending" || (updatedAt >= at && answer !== null && inFlightMs(answer) === 0);
}

/** The `Retry-After` of an answer `event_in_flight`, in milliseconds; else 0. */
function inFlightMs(answer: Answer | null): number {
  if (answer?.status !== 503 || receiversAnswer(answer.body.toString()).code !== "event_in_flight") return 0;
  const [, seconds = ""] = answer.headers.find(([name]) => name.toLowerCase() === "retry-after") ?? [];
  return /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds) * 1_000, MAX_WAIT_MS) : 0;
}
