import type { DeliveryHeaders } from "../delivery.ts";

/**
 * Where a receiver tells what it does, for traces and metrics: `openTelemetry()` of `bluum-webhooks/opentelemetry`, or your own. What
 * its methods throw is ignored: telemetry never costs an event.
 */
export interface Telemetry {
  /** Called once for each receiver, by `createReceiver`, which throws what this throws. */
  start(receiver: TelemetrySource): ReceiverTelemetry;
}

/** The receiver that telemetry is about. */
export interface TelemetrySource {
  readonly namespace: string;
  /** The receiver's inbox, if it has one. */
  readonly inbox?: TelemetryInbox | undefined;
}

/** What telemetry may ask of an inbox. */
export interface TelemetryInbox {
  /** The engine: `"sqlite"`, `"bullmq"`, ... */
  readonly name: string;
  /** How many events there are in each state, and the age of the oldest waiting one in milliseconds. */
  stats(): Promise<InboxCounts>;
}

/** The `InboxStats` of an inbox. */
export interface InboxCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly parked: number;
  /** The age of the oldest waiting event, in milliseconds. */
  readonly oldestWaitingMs: number;
}

/** Telemetry of one receiver. */
export interface ReceiverTelemetry {
  /** A delivery has arrived. Nothing of it is verified yet. */
  receiving(delivery: { readonly headers: DeliveryHeaders }): ReceivingTelemetry;
  /**
   * A handler is run. Must call `work` at once, and once: inside a span, for instance.
   *
   * @throws what `work` throws
   */
  handling<T>(run: HandlerRun, work: () => Promise<T>): Promise<T>;
  /** A run of a stored event has ended, or an event was parked. */
  report(report: TelemetryReport): void;
  /** The receiver is closed. */
  close?(): void;
}

/** Telemetry of one delivery. */
export interface ReceivingTelemetry {
  /** The trace context to store with the event, by W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** What goes with `traceparent`. It is stored if it is at most 512 printable ASCII characters. */
  readonly tracestate?: string | undefined;
  /** Must call `work` at once, and once: with the span of the delivery as the active one, for instance. Called several times. */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** The delivery has ended. Called once. */
  report(report: TelemetryReport): void;
}

/** One run of one handler. */
export interface HandlerRun {
  readonly eventId: string;
  readonly type: string;
  /** The handler's name. */
  readonly handler: string;
  /** Which of the inbox's attempts it is; 1 of 1 without an inbox. */
  readonly attempt: { readonly number: number; readonly of: number };
  /** What `ReceivingTelemetry.traceparent` was when the event was stored in the inbox. */
  readonly traceparent?: string | undefined;
  /** What `ReceivingTelemetry.tracestate` was, if it was stored. */
  readonly tracestate?: string | undefined;
  /** True for the receiver's own worker: whatever context is active there, it does not belong to this event. */
  readonly detached?: boolean | undefined;
}

/** The part of a `DeliveryReport` that telemetry uses. */
export interface TelemetryReport {
  readonly outcome: string;
  readonly code?: string;
  readonly status?: number;
  readonly type?: string;
  readonly eventId?: string;
  readonly probe?: true;
}
