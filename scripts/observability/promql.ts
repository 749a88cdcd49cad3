import type { WebhookErrorCode } from "../../src/errors.ts";
import type { DeliveryReport } from "../../src/pipeline/report.ts";
import { METRICS, SHARED, type STATES } from "../../src/telemetry/names.ts";
import { THRESHOLDS } from "./thresholds.ts";

type MetricKey = keyof typeof METRICS;

/** The label values that a selector asks for. */
export interface Values {
  readonly outcome?: readonly DeliveryReport["outcome"][];
  readonly code?: readonly WebhookErrorCode[];
  readonly state?: readonly (typeof STATES)[number][];
}

/** An attribute as a label of Prometheus. */
export function labelOf(attribute: string): string {
  return attribute.replaceAll(".", "_");
}

/** The label with the receiver's namespace. */
export const NAMESPACE: string = labelOf(SHARED.destination);

/**
 * The name of a metric in Prometheus, as a pattern. Exporters differ: by OTLP and the Collector durations end in `_seconds`, and the
 * Prometheus exporter of OpenTelemetry JS appends no unit.
 *
 * @param part of a histogram: `bucket`, `count` or `sum`
 */
export function namePattern(key: MetricKey, part?: "bucket" | "count" | "sum"): string {
  const { name, kind, unit } = METRICS[key];
  const ending = kind === "counter" ? "_total" : part === undefined ? "" : `_${part}`;
  return `${labelOf(name)}${unit === "s" ? "(_seconds)?" : ""}${ending}`;
}

/** A selector of some series of a metric, or of several. */
export function select(names: string | readonly string[], values: Values = {}, more: readonly string[] = []): string {
  const pattern = [names].flat().join("|");
  const isPlain = /^\w+$/.test(pattern);
  const matchers = [
    ...(isPlain ? [] : [`__name__=~"${pattern}"`]),
    ...Object.entries(values).map(([label, wanted]) => matcher(label, wanted)),
    ...more,
  ];
  if (matchers.length === 0) return pattern;
  return `${isPlain ? pattern : ""}{${matchers.join(",")}}`;
}

function matcher(label: string, values: readonly string[]): string {
  return values.length === 1 ? `${label}="${values[0]}"` : `${label}=~"${values.join("|")}"`;
}

/** A duration as Prometheus writes it. */
export function duration(ms: number): string {
  const units = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  const [unit, length] = Object.entries(units).find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${Math.round(ms / length)}${unit}`;
}

/** A sum over all instances, for each namespace. */
export function sum(inner: string, ...labels: readonly string[]): string {
  return `sum by (${[NAMESPACE, ...labels].join(", ")}) (${indented(inner)})`;
}

/** The maximum over all instances, for each namespace: every process reports the whole inbox. */
export function max(inner: string, ...labels: readonly string[]): string {
  return `max by (${[NAMESPACE, ...labels].join(", ")}) (${inner})`;
}

/**
 * How much counters have gone up in a window. `increase` alone takes the first value of a new counter for its start, and would miss a
 * spike that began before the first scrape: a new counter counts as a whole.
 *
 * @param speed how much faster than the clock
 */
export function increased(selector: string, windowMs: number, speed: number): string {
  const window = duration(windowMs / speed);
  const before = `max_over_time(${selector}[${duration(THRESHOLDS.newCounterMs / speed)}] offset ${window})`;
  return `(\n  ${selector}\n  unless ${before}\n)\nor\nincrease(${selector}[${window}])`;
}

/** An expression of several lines, as it stands between brackets. */
function indented(expr: string): string {
  return expr.includes("\n") ? `\n  ${expr.replaceAll("\n", "\n  ")}\n` : expr;
}
