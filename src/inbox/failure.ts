import { isError } from "../errors.ts";
import type { InboxFailure } from "./inbox.ts";

/**
 * A handler throws it to park its event at once: no retry could succeed. Handlers registered after it do not run before the event is
 * redriven. Only with an inbox; without one it is a failure like any other.
 */
export class ParkEvent extends Error {
  override readonly name: string = "ParkEvent";
}

/** Whether a failure parks the event at once. */
export function isParkEvent(thrown: unknown): boolean {
  return thrown instanceof ParkEvent;
}

const MAX_MESSAGE = 1_000;
const MAX_STACK = 4_000;

/** What a handler threw, cut to a size that can be stored. Never throws, whatever was thrown. */
export function failureOf(thrown: unknown): InboxFailure {
  try {
    return isError(thrown) ? failureWith(thrown.message, thrown.stack) : failureWith(thrown);
  } catch {
    return { message: "the handler threw something that cannot be printed" };
  }
}

/** A failure of a message and a stack, if there is one; both are cut. What was stored is cut again: anybody may have written it. */
export function failureWith(message: unknown, stack?: unknown): InboxFailure {
  const cut = { message: String(message).slice(0, MAX_MESSAGE) };
  return typeof stack === "string" ? { ...cut, stack: stack.slice(0, MAX_STACK) } : cut;
}
