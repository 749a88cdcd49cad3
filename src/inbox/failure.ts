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
    if (!isError(thrown)) return { message: String(thrown).slice(0, MAX_MESSAGE) };
    const message = String(thrown.message).slice(0, MAX_MESSAGE);
    return typeof thrown.stack === "string" ? { message, stack: thrown.stack.slice(0, MAX_STACK) } : { message };
  } catch {
    return { message: "the handler threw something that cannot be printed" };
  }
}
