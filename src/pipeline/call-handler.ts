import type { BluumEvent } from "../events/event.ts";
import type { Registration } from "../router/router.ts";
import type { HandlerRun, ReceiverTelemetry } from "../telemetry/telemetry.ts";
import type { DeliveryContext } from "./outcome.ts";

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
