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
 * to be processed once and its copies recognised; a forged one is to be refused.
 */
export function judge({ forgery, deliveries }: PlannedEvent, answers: readonly Answer[]): Judged[] {
  if (forgery !== undefined) return answers.map(judgeForged);
  let processed = 0;
  const judged = answers.map((answer) => {
    if (isSuccess(answer.status ?? 0) && !answer.duplicate) processed += 1;
    return judgeGenuine(answer, processed, deliveries);
  });
  if (processed > 0 || answers.length < deliveries) return judged;
  return judged.map((one) =>
    one.answer.duplicate ? { ...one, result: "taken for a duplicate", expected: false } : one,
  );
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

/** @param processed how many were processed, this one included */
function judgeGenuine(answer: Answer, processed: number, deliveries: number): Judged {
  if (answer.status === undefined) return unanswered(answer);
  if (answer.duplicate && isSuccess(answer.status)) return { result: "duplicate", expected: true, answer };
  if (isSuccess(answer.status)) {
    const first = processed === 1;
    return { result: first ? "processed" : "processed again", expected: first, answer };
  }
  // A copy that overtakes the first is sent away until that one is done.
  if (answer.code === "event_in_flight" && deliveries > 1) return { result: "in flight", expected: true, answer };
  return { result: answer.status >= 400 && answer.status < 500 ? "refused" : "failed", expected: false, answer };
}

function unanswered(answer: Answer): Judged {
  return { result: "no answer", expected: false, answer };
}
