import { METRICS, ON_METRICS, SHARED, SYSTEM } from "../../src/telemetry/names.ts";
import { SIGNATURE_CODES } from "./codes.ts";
import { labelOf, max, NAMESPACE, namePattern, select, sum, type Values } from "./promql.ts";
import { THRESHOLDS } from "./thresholds.ts";

/** A panel of the dashboard, or the heading of a row of them. */
export interface Panel {
  readonly type: "row" | "stat" | "timeseries";
  readonly title: string;
  readonly description?: string;
  readonly queries?: readonly { readonly expr: string; readonly legend: string }[];
  /** Of Grafana's units. @default a plain number */
  readonly unit?: "s" | "percentunit" | "ops" | "short";
  readonly stacked?: boolean;
  /** The value from which it is red. */
  readonly warnAbove?: number;
  /** Of 24. @default all */
  readonly width?: number;
  readonly height?: number;
}

const ERROR_TYPE = labelOf(SHARED.errorType);
const { outcome, code, type, state } = ON_METRICS;

/** All panels, in their order. */
export const PANELS: readonly Panel[] = [...overview(), ...deliveries(), ...inbox(), ...handlers()];

function overview(): Panel[] {
  const refused = rate("deliveries", { outcome: ["rejected"], code: SIGNATURE_CODES });
  return [
    stat("Deliveries per minute", `${sum(rate("deliveries"))} * 60`, { description: "All of them, by namespace." }),
    stat("Refused for their signature", `${sum(refused)} / ${sum(rate("deliveries"))}`, {
      description: "The share of deliveries. A wrong secret shows here first. Empty if none was refused.",
      unit: "percentunit",
      warnAbove: THRESHOLDS.signatures.share,
    }),
    stat("Oldest event that waits", max(selected(namePattern("inboxOldestAge"))), {
      description: "In the inbox.",
      unit: "s",
      warnAbove: THRESHOLDS.waiting.ageMs / 1_000,
    }),
    stat("Parked events", max(selected(namePattern("inboxEvents"), { state: ["parked"] })), {
      description: "They failed in all attempts, and wait to be redriven or discarded.",
      warnAbove: 1,
    }),
  ];
}

function deliveries(): Panel[] {
  return [
    { type: "row", title: "Deliveries" },
    graph("Deliveries by outcome", [[sum(rate("deliveries"), outcome), legend(outcome)]], {
      description: "Each request from Bluum, and what it came to.",
      unit: "ops",
      stacked: true,
    }),
    graph("Refused or failed, by code", [[sum(rate("deliveries", {}, [`${code}!=""`]), code), legend(code)]], {
      description: "What each code means: docs/reference/errors.md.",
      unit: "ops",
      stacked: true,
    }),
    graph("Time to acknowledge", quantiles("deliveryDuration", { outcome: ["accepted", "duplicate"] }), {
      description: "Bluum gives up after 30 s.",
      unit: "s",
      warnAbove: THRESHOLDS.slow.p99Ms / 1_000,
    }),
    graph("Accepted, by type", [[sum(rate("deliveries", { outcome: ["accepted"] }), type), legend(type)]], {
      description: "New events. Types outside Bluum's catalogue are `other`.",
      unit: "ops",
      stacked: true,
    }),
    graph("Duplicates", [[sum(rate("duplicates")), legend()]], {
      description:
        "Events that were stored or processed before. Many of them mean that acknowledgements are lost or late.",
      unit: "ops",
    }),
    graph("Handed over, or not", [[sum(rate("sent"), ERROR_TYPE), legend(ERROR_TYPE)]], {
      description: "Genuine events accepted for the handlers or the inbox; with a code those that could not be.",
      unit: "ops",
    }),
  ];
}

function inbox(): Panel[] {
  return [
    { type: "row", title: "Inbox" },
    graph("Events by state", [[max(selected(namePattern("inboxEvents")), state), legend(state)]], {
      description: "Every process reports the whole inbox, so this is the maximum over all of them.",
      stacked: true,
    }),
    graph("Age of the oldest event that waits", [[max(selected(namePattern("inboxOldestAge"))), legend()]], {
      description: "It grows while no worker keeps up.",
      unit: "s",
      warnAbove: THRESHOLDS.waiting.ageMs / 1_000,
    }),
    graph("Runs by outcome", [[sum(rate("inboxRuns"), outcome, code), legend(outcome, code)]], {
      description: "Runs of stored events by the workers.",
      unit: "ops",
      stacked: true,
    }),
    graph("Parked per hour", [[sum(`increase(${selected(namePattern("inboxParked"))}[1h])`), legend()]], {
      description: "Events that failed in their last attempt.",
    }),
  ];
}

function handlers(): Panel[] {
  const runs = `rate(${selected(namePattern("processDuration", "count"), {}, ownSystem("processDuration"))}[$__rate_interval])`;
  return [
    { type: "row", title: "Handlers" },
    graph("Duration", quantiles("processDuration"), { description: "Of one run of one handler.", unit: "s" }),
    graph("Runs, by error", [[sum(runs, ERROR_TYPE), legend(ERROR_TYPE)]], {
      description: "Without a code they succeeded.",
      unit: "ops",
      stacked: true,
    }),
  ];
}

/** The namespace, and these labels. */
function legend(...labels: readonly string[]): string {
  return [NAMESPACE, ...labels].map((label) => `{{${label}}}`).join(" ");
}

type Look = Omit<Panel, "type" | "title" | "queries">;

function stat(title: string, expr: string, look: Look): Panel {
  return { type: "stat", title, queries: [{ expr, legend: legend() }], width: 6, height: 5, ...look };
}

function graph(title: string, queries: readonly (readonly [expr: string, legend: string])[], look: Look): Panel {
  const named = queries.map(([expr, legend]) => ({ expr, legend }));
  return { type: "timeseries", title, queries: named, width: 12, height: 8, ...look };
}

function quantiles(key: "deliveryDuration" | "processDuration", values: Values = {}): (readonly [string, string])[] {
  const buckets = `rate(${selected(namePattern(key, "bucket"), values, ownSystem(key))}[$__rate_interval])`;
  return [0.5, 0.9, 0.99].map((quantile) => [
    `histogram_quantile(${quantile}, ${sum(buckets, "le")})`,
    `${legend()} p${quantile * 100}`,
  ]);
}

function rate(
  key: "deliveries" | "duplicates" | "sent" | "inboxRuns",
  values: Values = {},
  more: readonly string[] = [],
): string {
  return `rate(${selected(namePattern(key), values, [...ownSystem(key), ...more])}[$__rate_interval])`;
}

/** Metrics of the OpenTelemetry conventions may also come from other libraries in the same app. */
function ownSystem(key: keyof typeof METRICS): string[] {
  return METRICS[key].attributes.includes(SHARED.system) ? [`${labelOf(SHARED.system)}="${SYSTEM}"`] : [];
}

/** A selector of the namespaces that the dashboard's user has chosen. */
function selected(names: string, values: Values = {}, more: readonly string[] = []): string {
  return select(names, values, [`${NAMESPACE}=~"$namespace"`, ...more]);
}
