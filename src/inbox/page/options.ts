import type { IncomingMessage } from "node:http";
import { checksFor, type OptionChecks } from "../../options.ts";
import type { Inbox } from "../inbox.ts";

/** A request in Node's form, such as Express's, or a fetch request. */
export type PageRequest = IncomingMessage | Request;

/** The event that a payload belongs to. */
export interface MaskedEvent {
  readonly key: string;
  readonly id: string;
  readonly type: string;
}

/** Who may see the page, and what of the payloads. */
export interface InspectInboxOptions<Incoming extends PageRequest = PageRequest> {
  /**
   * Whether a request may see the page and act on events. It is called with every request: for the page, its data, its stream and its
   * actions. If it returns something falsy, or a promise of it, throws or rejects, the answer is 403 without content.
   */
  readonly authorize: (request: Incoming) => unknown;
  /**
   * Returns what the page may show of a payload, or a promise of it; it may change the payload, which is a copy. If it throws or returns
   * undefined, nothing of the payload is shown. It does not apply to errors and headers.
   *
   * @param payload the parsed body
   * @default the whole payload is shown
   */
  mask?(payload: Record<string, unknown>, event: MaskedEvent): unknown;
  /**
   * Called with what `authorize`, `mask` or the inbox threw: the page shows nothing of it.
   * @default nothing is called
   */
  readonly onError?: (error: unknown) => void;
}

/** The parts of an inbox that the page uses. */
export type InspectedInbox = Pick<Inbox, "name" | "stats" | "parked" | "redrive" | "discard">;

const checks: OptionChecks = checksFor("inspectInbox");

/**
 * Checks the arguments of `inspectInbox`.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function checkArguments(inbox: InspectedInbox, options: InspectInboxOptions<never>): void {
  checks.methods("inbox", inbox, ["stats", "parked", "redrive", "discard"]);
  checks.names(options, ["authorize", "mask", "onError"]);
  if (typeof options.authorize !== "function") {
    throw checks.invalid("authorize", "must be a function that says who may see the page");
  }
  checks.callable("mask", options.mask);
  checks.callable("onError", options.onError);
}
