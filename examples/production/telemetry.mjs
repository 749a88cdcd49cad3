// OpenTelemetry: metrics for Prometheus on a port of their own, spans by OTLP. Imported first, so that it starts first.
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const { OTEL_SERVICE_NAME = "orders-api", OTEL_EXPORTER_OTLP_ENDPOINT } = process.env;
const resource = resourceFromAttributes({ "service.name": OTEL_SERVICE_NAME });

// It listens on OTEL_EXPORTER_PROMETHEUS_PORT, by default 9464.
const meterProvider = new MeterProvider({ resource, readers: [new PrometheusExporter()] });
metrics.setGlobalMeterProvider(meterProvider);

// The exporter reads OTEL_EXPORTER_OTLP_ENDPOINT itself.
const spanProcessors = OTEL_EXPORTER_OTLP_ENDPOINT ? [new BatchSpanProcessor(new OTLPTraceExporter())] : [];
const tracerProvider = new NodeTracerProvider({ resource, spanProcessors });
tracerProvider.register();

/** Sends what is still in memory. */
export async function stopTelemetry() {
  await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
}
