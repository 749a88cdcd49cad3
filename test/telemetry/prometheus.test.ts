import { createServer } from "node:http";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, it } from "vitest";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { type Endpoint, listen } from "../adapters/contract/sender.ts";
import { FIRST, listInbox } from "../pipeline/list-inbox.ts";
import { anEvent, bench, signed } from "../pipeline/receiving.ts";

/**
 * What alerts and dashboards are written with: the names as the exporter writes them. Prometheus's own OTLP receiver and the exporter of
 * the Collector also append the unit, as in `messaging_process_duration_seconds`.
 */
const SCRAPED = {
  messaging_process_duration: "histogram",
  messaging_client_sent_messages_total: "counter",
  bluum_webhooks_deliveries_total: "counter",
  bluum_webhooks_delivery_duration: "histogram",
  bluum_webhooks_duplicates_total: "counter",
  bluum_webhooks_inbox_runs_total: "counter",
  bluum_webhooks_inbox_events: "gauge",
  bluum_webhooks_inbox_oldest_age: "gauge",
  bluum_webhooks_inbox_parked_total: "counter",
};

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.close());

describe("a scrape by Prometheus", () => {
  it("shows all metrics under these names", async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const meterProvider = new MeterProvider({ readers: [exporter] });
    const inbox = listInbox();
    const telemetry = openTelemetry({ meterProvider });
    const { receiver } = bench({ telemetry, inbox, namespace: "orders-api", logger: false });
    receiver.on("order.filled", () => {}).on("order.rejected", () => Promise.reject(new Error("no")));
    receiver.work();
    const delivery = signed();
    for (const each of [
      delivery,
      delivery,
      signed(anEvent("order.rejected")),
      signed(anEvent(), { secret: "another-secret-of-some-length" }),
    ])
      await receiver.handle(each);
    for (const message of inbox.messages) await receiver.process(message, { attempt: FIRST }).catch(() => {});
    inbox.worker?.options.onParked({ key: "k", type: "order.rejected", attempts: 12, error: { message: "no" } });

    endpoint = await listen(createServer((request, response) => exporter.getMetricsRequestHandler(request, response)));
    const { body } = await endpoint.send({ method: "GET" });
    const kinds = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]);
    expect(Object.fromEntries(kinds.filter(([name]) => name !== "target_info"))).toEqual(SCRAPED);

    const scope = 'otel_scope_name="bluum-webhooks"';
    const own = 'messaging_destination_name="orders-api"';
    const lines = body.split("\n").map((line) => line.replace(/ \d{13}$/, ""));
    expect(lines).toEqual(
      expect.arrayContaining([
        `bluum_webhooks_deliveries_total{${own},outcome="accepted",type="order.filled",${scope}} 1`,
        `bluum_webhooks_deliveries_total{${own},outcome="duplicate",type="order.filled",${scope}} 1`,
        `bluum_webhooks_deliveries_total{${own},outcome="rejected",code="signature_mismatch",${scope}} 1`,
        `bluum_webhooks_duplicates_total{${own},type="order.filled",${scope}} 1`,
        `bluum_webhooks_inbox_runs_total{${own},outcome="failed",code="handler_failed",type="order.rejected",${scope}} 1`,
        `bluum_webhooks_inbox_events{${own},engine="list",state="waiting",${scope}} 2`,
        `bluum_webhooks_inbox_oldest_age{${own},engine="list",${scope}} 0`,
        `bluum_webhooks_inbox_parked_total{${own},${scope}} 1`,
      ]),
    );
    expect(body).toMatch(/^bluum_webhooks_delivery_duration_bucket\{.*outcome="accepted".*le="25"\} 2/m);
    expect(body).toMatch(/^messaging_process_duration_count\{.*error_type="handler_failed".*\} 1/m);
    await receiver.close();
  });
});
