/**
 * Traces and metrics of a receiver, by OpenTelemetry.
 *
 * @example
 * import { createReceiver } from "bluum-webhooks";
 * import { openTelemetry } from "bluum-webhooks/opentelemetry";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, telemetry: openTelemetry() });
 *
 * @module bluum-webhooks/opentelemetry
 */

import { type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import { checksFor } from "../options.ts";
import { SCOPE } from "./names.ts";
import { InboxGauges } from "./opentelemetry/inbox-gauges.ts";
import { currentInstruments } from "./opentelemetry/instruments.ts";
import { ObservedReceiver } from "./opentelemetry/observed-receiver.ts";
import type { Telemetry } from "./telemetry.ts";

const { names } = checksFor("openTelemetry");

/** What `openTelemetry` takes. */
export interface OpenTelemetryOptions {
  /** Where metrics go. @default the global one, looked up at each use: the SDK may start after the receiver */
  readonly meterProvider?: MeterProvider;
  /** Where spans go. @default the global one, looked up at each use */
  readonly tracerProvider?: TracerProvider;
}

/**
 * Traces and metrics of a receiver by OpenTelemetry. Several receivers may share one.
 *
 * @example
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, telemetry: openTelemetry() });
 * @throws WebhookError `configuration_invalid` for an option that does not exist
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  names(options, ["meterProvider", "tracerProvider"]);
  const { meterProvider, tracerProvider } = options;
  const meters = () => meterProvider ?? metrics.getMeterProvider();
  const tracer = () => (tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE);
  const instruments = currentInstruments(meters);
  const gauges = new InboxGauges(meters, instruments);
  return {
    start: (receiver) => new ObservedReceiver(receiver, { tracer, instruments, gauges }),
  };
}
