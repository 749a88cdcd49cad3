import type { Answer } from "./deliveries.ts";
import { receiversAnswer } from "./receivers-answer.ts";

/** Longer than any lease that a receiver takes, which is 55 s at the most. */
const MAX_WAIT_MS = 60_000;

/**
 * How long an endpoint asks to be left alone since the event is being processed, in real milliseconds; 0 where it does not. A claim
 * that a killed process has left ends with its lease, which runs by the wall clock and not by the sandbox's.
 */
export function inFlightMs(answer: Answer | null): number {
  if (answer?.status !== 503 || receiversAnswer(answer.body.toString()).code !== "event_in_flight") return 0;
  const [, seconds = ""] = answer.headers.find(([name]) => name.toLowerCase() === "retry-after") ?? [];
  return /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds) * 1_000, MAX_WAIT_MS) : 0;
}
