import { plural } from "../../../page/model/words.ts";
import type { AttemptSummary, DeliveryOrigin, DeliveryState, DeliverySummary } from "../../page-api.ts";

/**
 * The state of a delivery as the page shows and counts it. In addition to the states of the sandbox:
 *
 * - `unhandled`: acknowledged, but no handler matched the event
 * - `replayed`: parked, and replayed afterwards
 * - `refused`: a forgery that was answered 4xx, as it should be
 * - `fooled`: a forgery that was acknowledged
 * - `failed`: a copy or a forgery that failed otherwise; neither is sent again
 */
export type Look = DeliveryState | "unhandled" | "replayed" | "refused" | "fooled" | "failed";

/** Their names, in the order of the filters. */
export const LOOK_WORDS: Readonly<Record<Look, string>> = {
  fooled: "Accepted",
  parked: "Parked",
  retrying: "Retrying",
  sending: "Sending",
  waiting: "Waiting",
  unhandled: "Unhandled",
  delivered: "Delivered",
  refused: "Refused",
  failed: "Failed",
  replayed: "Replayed",
};

export const LOOKS: readonly Look[] = Object.keys(LOOK_WORDS) as Look[];

/** The look of a delivery. Words, counts, filters and the chart all follow from it. */
export function lookOf({ origin, state, replayed, attempts }: DeliverySummary): Look {
  if (origin === "forged" && state === "delivered") return "fooled";
  if (state === "delivered" && attempts.at(-1)?.unhandled) return "unhandled";
  if (state !== "parked") return state;
  if (origin === "forged" && isRefusal(attempts.at(-1))) return "refused";
  if (origin === "forged" || origin === "duplicate") return "failed";
  return replayed ? "replayed" : "parked";
}

/** A 5xx, or no answer, says nothing about the signature. */
function isRefusal(attempt: AttemptSummary | undefined): boolean {
  const status = attempt?.status ?? 0;
  return status >= 400 && status < 500;
}

/** The looks that the chart distinguishes. */
export type Outcome = "delivered" | "unhandled" | "closed" | "retrying" | "parked" | "fooled" | "open";

/** From the bottom of a column to its top. */
export const OUTCOMES: readonly Outcome[] = [
  "delivered",
  "unhandled",
  "closed",
  "retrying",
  "parked",
  "fooled",
  "open",
];

const OUTCOME_OF: Readonly<Record<Look, Outcome>> = {
  waiting: "open",
  sending: "open",
  retrying: "retrying",
  delivered: "delivered",
  unhandled: "unhandled",
  parked: "parked",
  fooled: "fooled",
  refused: "closed",
  failed: "closed",
  replayed: "closed",
};

export function outcomeOf(delivery: DeliverySummary): Outcome {
  return OUTCOME_OF[lookOf(delivery)];
}

export const ORIGIN_WORDS: Readonly<Record<DeliveryOrigin, string>> = {
  event: "event",
  duplicate: "duplicate",
  replay: "replay",
  forged: "forged",
};

/** A delivery's look in words. */
export interface Standing {
  readonly look: Look;
  readonly word: string;
  readonly note: string;
}

export function standingOf(delivery: DeliverySummary): Standing {
  const look = lookOf(delivery);
  return { look, word: LOOK_WORDS[look], note: noteOn(look, delivery.attempts) };
}

function noteOn(look: Look, attempts: readonly AttemptSummary[]): string {
  const last = attempts.at(-1);
  if (look === "waiting") return "not sent yet";
  if (look === "sending") return `attempt ${attempts.length}`;
  if (last === undefined) return "never sent";
  if (look === "unhandled") return "acknowledged";
  if (look === "parked" || look === "replayed") return `after ${plural(attempts.length, "attempt")}`;
  return answerWords(last);
}

/** How an attempt ended. */
export type Ending = "accepted" | "failed" | "open";

export function endingOf({ status, error, latencyMs }: AttemptSummary): Ending {
  if (status !== null) return status >= 200 && status < 300 ? "accepted" : "failed";
  return error === null && latencyMs === null ? "open" : "failed";
}

/** Such as `200 in 12 ms`, `timed out`, `on its way`. */
export function answerWords(attempt: AttemptSummary): string {
  if (attempt.status !== null) {
    return attempt.latencyMs === null
      ? String(attempt.status)
      : `${attempt.status} in ${latencyWords(attempt.latencyMs)}`;
  }
  return attempt.error ?? (endingOf(attempt) === "open" ? "on its way" : "no answer");
}

export function latencyWords(latencyMs: number): string {
  if (latencyMs < 10) return `${Number(latencyMs.toFixed(1))} ms`;
  return latencyMs < 1_000 ? `${Math.round(latencyMs)} ms` : `${(latencyMs / 1_000).toFixed(1)} s`;
}
