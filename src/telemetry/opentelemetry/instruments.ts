import type { Counter, Histogram, Meter, MeterProvider, MetricOptions } from "@opentelemetry/api";
import { METRICS, type Metric, SCOPE } from "../names.ts";

/** The instruments of one meter provider, gauges excepted. */
export interface Instruments {
  readonly processDuration: Histogram;
  readonly sent: Counter;
  readonly deliveries: Counter;
  readonly deliveryDuration: Histogram;
  readonly duplicates: Counter;
  readonly inboxRuns: Counter;
  readonly inboxParked: Counter;
}

/**
 * Makes the instruments of the current meter provider, again whenever that is another one: instruments that were made before the SDK
 * started never work.
 */
export function currentInstruments(provider: () => MeterProvider): () => Instruments {
  let known: { readonly provider: MeterProvider; readonly instruments: Instruments } | undefined;
  return () => {
    const current = provider();
    if (known?.provider !== current) known = { provider: current, instruments: instrumentsOf(current.getMeter(SCOPE)) };
    return known.instruments;
  };
}

function instrumentsOf(meter: Meter): Instruments {
  const counter = (metric: Metric) => meter.createCounter(metric.name, optionsOf(metric));
  const histogram = (metric: Metric) => meter.createHistogram(metric.name, optionsOf(metric));
  return {
    processDuration: histogram(METRICS.processDuration),
    sent: counter(METRICS.sent),
    deliveries: counter(METRICS.deliveries),
    deliveryDuration: histogram(METRICS.deliveryDuration),
    duplicates: counter(METRICS.duplicates),
    inboxRuns: counter(METRICS.inboxRuns),
    inboxParked: counter(METRICS.inboxParked),
  };
}

/** What a meter is told of a metric. */
export function optionsOf({ unit, description, buckets }: Metric): MetricOptions {
  return { unit, description, ...(buckets && { advice: { explicitBucketBoundaries: [...buckets] } }) };
}
