import { type Attributes, context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** One series of one metric. */
interface Series {
  readonly name: string;
  readonly attributes: Attributes;
  /** A number, or the count and the sum of a histogram. */
  readonly value: unknown;
}

/** The real SDK, with what it has collected in memory. */
export interface Sdk {
  readonly providers: { readonly meterProvider: MeterProvider; readonly tracerProvider: NodeTracerProvider };
  /** The spans that have ended. */
  spans(): ReadableSpan[];
  /** The spans of one name. */
  named(name: string): ReadableSpan[];
  /** The series of all metrics, or of one. */
  collect(name?: string): Promise<Series[]>;
}

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export function makeSdk(): Sdk {
  const reader = new Reader();
  const exporter = new InMemorySpanExporter();
  return {
    providers: {
      meterProvider: new MeterProvider({ readers: [reader] }),
      tracerProvider: new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    },
    spans: () => exporter.getFinishedSpans(),
    named: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
    async collect(name) {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return all
        .flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({ name: descriptor.name, attributes, value: briefly(value) })),
        )
        .filter((series) => name === undefined || series.name === name);
    },
  };
}

function briefly(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { count, sum } = value as { readonly count: number; readonly sum: number };
  return { count, sum };
}

/** Makes an SDK the global one, with contexts that follow promises and with W3C Trace Context. */
export function startGlobally(sdk: Sdk): void {
  sdk.providers.tracerProvider.register();
  metrics.setGlobalMeterProvider(sdk.providers.meterProvider);
}

/** Makes the active context follow promises, as every SDK for Node does. */
export function followContexts(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** As before any SDK was started. */
export function stopGlobally(): void {
  for (const api of [context, propagation, trace, metrics]) api.disable();
}
