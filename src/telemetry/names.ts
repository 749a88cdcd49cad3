/**
 * The names of all spans, metrics and attributes: the dashboard, the alerts and the documentation are checked against this file.
 *
 * What begins with `messaging.` or `error.` is copied from the OpenTelemetry semantic conventions 1.45.0. Those for messaging have the
 * status "development": they may still change, which is why they are not imported.
 */

/** The name of the instrumentation scope. */
export const SCOPE = "bluum-webhooks";

/** The value of `messaging.system`. */
export const SYSTEM = "bluum_webhooks";

/** What types outside the catalogue count as on metrics: a sender could make up any number of them. */
export const OTHER_TYPE = "other";

/** What the type of refused probes of `verifyMount` counts as on metrics: no alert should fire on them. Any sender may claim to be one. */
export const PROBE_TYPE = "probe";

/** The two operations: `messaging.operation.name`, and with the namespace the name of a span. */
export const OPERATION = { send: "send", process: "process" } as const;

/** Attributes that spans and metrics share. */
export const SHARED = {
  system: "messaging.system",
  operation: "messaging.operation.name",
  /** The receiver's namespace. */
  destination: "messaging.destination.name",
  /** One of the error codes of this package. Missing if nothing failed. */
  errorType: "error.type",
} as const;

/** Attributes of spans only. */
export const ON_SPANS = {
  operationType: "messaging.operation.type",
  /** The event's id. */
  eventId: "messaging.message.id",
  type: "bluum_webhooks.type",
  outcome: "bluum_webhooks.outcome",
  handler: "bluum_webhooks.handler",
  attempt: "bluum_webhooks.attempt",
} as const;

/** Attributes of metrics only. They are short, since they become labels. None of them has more values than this package knows. */
export const ON_METRICS = {
  outcome: "outcome",
  code: "code",
  type: "type",
  state: "state",
  engine: "engine",
} as const;

/** The states of an event in an inbox: the values of `state`. */
export const STATES = ["waiting", "delayed", "active", "parked"] as const;

/** Upper bounds of the buckets, in seconds: the conventions' for handlers, up to a provider's timeout for deliveries. */
const PROCESS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const DELIVERY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25, 30, 60];

const { system, operation, destination, errorType } = SHARED;
const { outcome, code, type, state, engine } = ON_METRICS;

/** What is known of a metric. */
export interface Metric {
  readonly name: string;
  readonly kind: "counter" | "histogram" | "gauge";
  /** In UCUM. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
  readonly buckets?: readonly number[];
}

/** All metrics. */
export const METRICS: Readonly<
  Record<
    | "processDuration"
    | "sent"
    | "deliveries"
    | "deliveryDuration"
    | "duplicates"
    | "inboxRuns"
    | "inboxEvents"
    | "inboxOldestAge"
    | "inboxParked",
    Metric
  >
> = {
  processDuration: {
    name: "messaging.process.duration",
    kind: "histogram",
    unit: "s",
    description: "How long handlers run.",
    attributes: [system, operation, destination, errorType],
    buckets: PROCESS_BUCKETS,
  },
  sent: {
    name: "messaging.client.sent.messages",
    kind: "counter",
    unit: "{message}",
    description: "Events accepted for the handlers or the inbox; with error.type those that could not be.",
    attributes: [system, operation, destination, errorType],
  },
  deliveries: {
    name: "bluum_webhooks.deliveries",
    kind: "counter",
    unit: "{delivery}",
    description: "Deliveries, by what they came to.",
    attributes: [destination, outcome, code, type],
  },
  deliveryDuration: {
    name: "bluum_webhooks.delivery.duration",
    kind: "histogram",
    unit: "s",
    description: "From the arrival of a delivery to the end of the receiver's work on it.",
    attributes: [destination, outcome],
    buckets: DELIVERY_BUCKETS,
  },
  duplicates: {
    name: "bluum_webhooks.duplicates",
    kind: "counter",
    unit: "{delivery}",
    description: "Deliveries of events that were processed, or stored, before.",
    attributes: [destination, type],
  },
  inboxRuns: {
    name: "bluum_webhooks.inbox.runs",
    kind: "counter",
    unit: "{run}",
    description: "Runs of stored events, by how they ended.",
    attributes: [destination, outcome, code, type],
  },
  inboxEvents: {
    name: "bluum_webhooks.inbox.events",
    kind: "gauge",
    unit: "{event}",
    description: "Events in the inbox, by their state. Every process reports the whole inbox.",
    attributes: [destination, engine, state],
  },
  inboxOldestAge: {
    name: "bluum_webhooks.inbox.oldest_age",
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest event that waits in the inbox; 0 if none waits.",
    attributes: [destination, engine],
  },
  inboxParked: {
    name: "bluum_webhooks.inbox.parked",
    kind: "counter",
    unit: "{event}",
    description: "Events that were parked.",
    attributes: [destination],
  },
};
