import { ignoreRejection } from "../async.ts";
import type { Delivery } from "../delivery.ts";
import { WebhookError } from "../errors.ts";

/** When the runtime ends or freezes this process, for example AWS Lambda. All by `performance.now()`, in milliseconds. */
export interface Deadline {
  /** The end itself. No lease lasts longer. */
  readonly at: number;
  /** Handlers are aborted and the answer is made by then, so that it is out before the end. */
  readonly answerBy: number;
  /** The store is waited for until then, so that what succeeded before `answerBy` can still be stored. */
  readonly storeBy: number;
}

const MARGIN_MS = 500;

/** The deadline of a process that has `timeLeftMs` left, counted from now. */
function deadlineIn(timeLeftMs: number): Deadline {
  const at = performance.now() + timeLeftMs;
  const margin = Math.max(0, Math.min(MARGIN_MS, timeLeftMs / 10));
  return { at, answerBy: at - margin, storeBy: at - margin / 2 };
}

/**
 * The deadline of a delivery's process, if it has one.
 *
 * @throws WebhookError `receiver_failed` if `timeLeftMs` is not a number
 */
export function deadlineOf({ timeLeftMs }: Delivery): Deadline | undefined {
  if (timeLeftMs === undefined || timeLeftMs === Number.POSITIVE_INFINITY) return undefined;
  // A lease of length zero would protect nothing.
  if (Number.isFinite(timeLeftMs)) return deadlineIn(timeLeftMs);
  ignoreRejection(timeLeftMs);
  throw new WebhookError("receiver_failed", "the delivery's timeLeftMs is not a number of milliseconds");
}

/** @throws WebhookError `handler_timeout` if there is no time left to process anything */
export function refuseIfTooLate(deadline: Deadline | undefined): void {
  if (deadline !== undefined && performance.now() >= deadline.answerBy)
    throw new WebhookError("handler_timeout", "the deadline passed before the event could be processed");
}
