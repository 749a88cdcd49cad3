import { isSuccess } from "../../adapter.ts";
import type { PlannedEvent } from "./plan.ts";
import type { Answer } from "./send.ts";

/** An answer, its result, and whether a receiver should answer in this way. */
export interface Evaluated {
  readonly result: string;
  readonly expected: boolean;
  readonly answer: Answer;
}

/**
 * Evaluates all answers to one event together: the receiver decides which of several copies is the first. A genuine event should
 * be acknowledged once and its copies recognised; a forged one should be refused. An event that no handler matches is not
 * remembered, so its copies are unhandled as well.
 */
export function evaluate({ forgery, deliveries }: PlannedEvent, answers: readonly Answer[]): Evaluated[] {
  if (forgery !== undefined) return answers.map(evaluateForged);
  const tellsDuplicates = answers.some(isFromReceiver);
  let acknowledged = 0;
  const evaluated = answers.map((answer) => {
    if (isAcknowledged(answer)) acknowledged += 1;
    return evaluateGenuine(answer, { acknowledged, deliveries, tellsDuplicates });
  });
  if (acknowledged > 0 || answers.length < deliveries) return evaluated;
  return evaluated.map((one) =>
    one.answer.duplicate ? { ...one, result: "taken for a duplicate", expected: false } : one,
  );
}

function isAcknowledged({ status, duplicate, unhandled }: Answer): boolean {
  return isSuccess(status ?? 0) && !duplicate && !unhandled;
}

/** Whether an answer is from a receiver of this package. Other apps may answer a recognised copy like the first one. */
function isFromReceiver({ received, code }: Answer): boolean {
  return received || code === "event_in_flight";
}

/** The statuses with which a receiver refuses a forgery. Others, such as 404 or 429, may come from a proxy or another app. */
const REFUSALS: readonly number[] = [400, 401, 403];

function evaluateForged(answer: Answer): Evaluated {
  if (answer.status === undefined) return noAnswer(answer);
  if (isSuccess(answer.status)) return { result: "admitted", expected: false, answer };
  return REFUSALS.includes(answer.status)
    ? { result: "refused", expected: true, answer }
    : { result: "failed", expected: false, answer };
}

interface Copies {
  /** The number of copies acknowledged so far, including this one. */
  readonly acknowledged: number;
  readonly deliveries: number;
  /** Whether the answers distinguish a recognised copy from one that was acknowledged again. */
  readonly tellsDuplicates: boolean;
}

function evaluateGenuine(answer: Answer, { acknowledged, deliveries, tellsDuplicates }: Copies): Evaluated {
  const { status, code, duplicate } = answer;
  if (status === undefined) return noAnswer(answer);
  if (isAcknowledged(answer)) {
    // With an inbox a 2xx says that the event is stored; its handlers may still have to run.
    if (acknowledged === 1 || !tellsDuplicates) return { result: "acknowledged", expected: true, answer };
    return { result: "acknowledged again", expected: false, answer };
  }
  if (isSuccess(status)) return { result: duplicate ? "duplicate" : "unhandled", expected: true, answer };
  // A copy that arrives while the first is being processed is to be retried later.
  if (code === "event_in_flight" && deliveries > 1) return { result: "in flight", expected: true, answer };
  return { result: status >= 400 && status < 500 ? "refused" : "failed", expected: false, answer };
}

function noAnswer(answer: Answer): Evaluated {
  return { result: "no answer", expected: false, answer };
}
