import { type RejectionCode, WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import type { Registration } from "../router/router.ts";
import type { HandlerRun, ReceiverTelemetry } from "../telemetry/telemetry.ts";
import { acquire, type Claim, type ClaimSettings, type NotAcquired } from "./claim.ts";
import { handlerKey } from "./identity.ts";
import type { DeliveryContext, Settled } from "./outcome.ts";

/** Why the receiver itself stopped the handlers of an event. What handlers throw is never one of these. */
export class Interruption {
  readonly code: RejectionCode;
  readonly message: string;
  readonly cause: unknown;

  constructor(code: RejectionCode, message: string, cause?: unknown) {
    this.code = code;
    this.message = message;
    this.cause = cause;
  }
}

/** Another process runs a handler, or has taken it over. */
export function runsElsewhere(): Interruption {
  return new Interruption("event_in_flight", "another worker runs the handler, or has taken it over");
}

/** How the handlers of one receiver are observed. */
export interface Observed {
  readonly telemetry: ReceiverTelemetry | undefined;
  /** Of an event from an inbox. */
  readonly stored?: Pick<HandlerRun, "traceparent" | "tracestate" | "detached">;
}

/** Calls a handler, inside telemetry if there is any. */
export function callHandler(
  { name, handler }: Registration<DeliveryContext>,
  event: BluumEvent,
  context: DeliveryContext,
  { telemetry, stored }: Observed,
): unknown {
  if (telemetry === undefined) return handler(event, context);
  const { eventId, attempt } = context;
  const run = { eventId, type: event.type, handler: name, attempt, ...stored };
  return telemetry.handling(run, async () => handler(event, context));
}

/**
 * Claims one handler's run of an event, under which its success is remembered.
 *
 * @param key the event's key in the store
 * @param handler the handler's name
 * @throws Interruption `store_unavailable`
 */
export async function claimHandler(
  key: string,
  handler: string,
  settings: ClaimSettings,
): Promise<Claim | NotAcquired> {
  try {
    return await acquire(handlerKey(key, handler), settings);
  } catch (error) {
    settings.log.error("store_unavailable", "store_unavailable: the store failed to claim a handler's run", error);
    throw new Interruption("store_unavailable", "the store failed to claim a handler's run", error);
  }
}

/**
 * Runs a handler and settles its claim.
 *
 * @throws what the handler threw, or an Interruption if its success does not count
 */
export async function runAndSettle(claim: Claim, run: () => unknown): Promise<Settled> {
  try {
    await run();
  } catch (thrown) {
    await claim.settle("failed");
    throw thrown;
  }
  const settled = await claim.settle("processed");
  if (settled === "held_by_another") throw runsElsewhere();
  if (settled === "rolled_back")
    throw new Interruption(
      "completion_rolled_back",
      "a handler returned, but the transaction with its completion was rolled back",
    );
  return settled;
}

/** The code of what ended a handler. It is never the handler's to pick: whatever it throws is `handler_failed`. */
export function codeOf(thrown: unknown, { abortedWith }: Pick<Claim, "abortedWith">): RejectionCode {
  if (thrown !== undefined && thrown === abortedWith)
    return abortedWith.code === "handler_timeout" ? "handler_timeout" : "event_in_flight";
  try {
    if (thrown instanceof Interruption) return thrown.code;
    // A completeIn that found the claim gone has rolled its work back.
    if (thrown instanceof WebhookError && thrown.code === "claim_lost") return "event_in_flight";
  } catch {
    // A revoked Proxy throws at every touch.
  }
  return "handler_failed";
}
