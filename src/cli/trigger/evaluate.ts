import { isSuccess } from "../../index.ts";
import type { PlannedEvent } from "./plan.ts";
import type { Answer } from "./send.ts";

/** What an answer comes to, and whether it is what a receiver should say. */
export interface Judged {
  readonly result: string;
  readonly expected: boolean;
  readonly answer: Answer;
}

/**
 * Judges all answers to one event together, since which of its copies is the first is the receiver's to say. A genuine event is
 * to be processed once and its copies recognised; a forged one is to be refused. An event that no handler matches is not
 * remembered, so its copies are unhandled again.
 */
export function judge({ forgery, deliveries }: PlannedEvent, answers: readonly Answer[]): Judged[] {
  if (forgery !== undefined) return answers.map(judgeForged);
  let processed = 0;
  const tells = answers.some(isReceivers);
  const judged = answers.map((answer) => {
    if (isProcessed(answer)) processed += 1;
    return judgeGenuine(answer, { processed, deliveries, tells });
  });
  if (processed > 0 || answers.length < deliveries) return judged;
  return judged.map((one) =>
    one.answer.duplicate ? { ...one, result: "taken for a duplicate", expected: false } : one,
  );
}

function isProcessed({ status, duplicate, unhandled }: Answer): boolean {
  return isSuccess(status ?? 0) && !duplicate && !unhandled;
}

/** Whether an answer is a receiver's of this package. Any other app may recognise a copy and answer it like the first. */
function isReceivers({ received, code }: Answer): boolean {
  return received || code === "event_in_flight";
}

/** What a receiver says to a forgery. Any other status, such as 404, 405 or 429, may come from what stands before a receiver, or in its place. */
const REFUSALS: readonly number[] = [400, 401, 403];

function judgeForged(answer: Answer): Judged {
  if (answer.status === undefined) return unanswered(answer);
  if (isSuccess(answer.status)) return { result: "admitted", expected: false, answer };
  return REFUSALS.includes(answer.status)
    ? { result: "refused", expected: true, answer }
    : { result: "failed", expected: false, answer };
}

interface Copies {
  /** How many were processed, this one included. */
  readonly processed: number;
  readonly deliveries: number;
  /** Whether the answers tell a copy that was recognised from one that was processed again. */
  readonly tells: boolean;
}

function judgeGenuine(answer: Answer, { processed, deliveries, tells }: Copies): Judged {
  if (answer.status === undefined) return unanswered(answer);
  if (isProcessed(answer)) {
    if (processed === 1) return { result: "processed", expected: true, answer };
    return tells
      ? { result: "processed again", expected: false, answer }
      : { result: "acknowledged", expected: true, answer };
  }
  if (isSuccess(answer.status)) return { result: answer.duplicate ? "duplicate" : "unhandled", expected: true, answer };
  // A copy that overtakes the first is sent away until that one is done.
  if (answer.code === "event_in_flight" && deliveries > 1) return { result: "in flight", expected: true, answer };
  return { result: answer.status >= 400 && answer.status < 500 ? "refused" : "failed", expected: false, answer };
}

function unanswered(answer: Answer): Judged {
  return { result: "no answer", expected: false, answer };
}
