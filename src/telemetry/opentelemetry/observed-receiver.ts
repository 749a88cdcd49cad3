import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import { type DeliveryHeaders, headerLookup } from "../../delivery.ts";
import { WebhookError } from "../../errors.ts";
import { ON_METRICS, ON_SPANS, OPERATION, OTHER_TYPE, PROBE_TYPE, SHARED, SYSTEM } from "../names.ts";
import type {
  HandlerRun,
  ReceiverTelemetry,
  ReceivingTelemetry,
  TelemetryReport,
  TelemetrySource,
} from "../telemetry.ts";
import type { InboxGauges } from "./inbox-gauges.ts";
import type { Instruments } from "./instruments.ts";
import { spanContextOf, traceparentOf } from "./traceparent.ts";

/** What the receivers of one `openTelemetry()` share. */
export interface Instrumentation {
  readonly tracer: () => Tracer;
  readonly instruments: () => Instruments;
  readonly gauges: InboxGauges;
}

/** Spans and metrics of one receiver. */
export class ObservedReceiver implements ReceiverTelemetry {
  readonly #namespace: string;
  readonly #instrumentation: Instrumentation;
  readonly close: () => void;

  constructor(receiver: TelemetrySource, instrumentation: Instrumentation) {
    this.#namespace = receiver.namespace;
    this.#instrumentation = instrumentation;
    this.close = instrumentation.gauges.watch(receiver);
  }

  receiving({ headers }: { readonly headers: DeliveryHeaders }): ReceivingTelemetry {
    const startedAt = performance.now();
    // Anybody may send this header: a link, never the parent.
    const header = headerLookup(headers);
    const links = linksTo(header("traceparent"), header("tracestate"));
    const { span, active } = this.#startSpan("send", SpanKind.PRODUCER, context.active(), { links });
    return {
      traceparent: traceparentOf(span.spanContext()),
      tracestate: span.spanContext().traceState?.serialize(),
      within: (work) => context.with(active, work),
      report: (report) => {
        endSpanOfDelivery(span, report);
        this.#countDelivery(report, performance.now() - startedAt);
      },
    };
  }

  async handling<T>(run: HandlerRun, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const parent = run.detached ? ROOT_CONTEXT : context.active();
    const attributes = {
      [ON_SPANS.eventId]: run.eventId,
      [ON_SPANS.type]: run.type,
      [ON_SPANS.handler]: run.handler,
      [ON_SPANS.attempt]: run.attempt.number,
    };
    const links = linksTo(run.traceparent, run.tracestate);
    const { span, active } = this.#startSpan("process", SpanKind.CONSUMER, parent, { links, attributes });
    let failure: string | undefined = "handler_failed";
    try {
      const returned = await context.with(active, work);
      failure = undefined;
      return returned;
    } catch (thrown) {
      failure = codeOf(thrown);
      throw thrown;
    } finally {
      if (failure !== undefined) failSpan(span, failure);
      span.end();
      this.#instrumentation
        .instruments()
        .processDuration.record((performance.now() - startedAt) / 1000, this.#messaging("process", failure));
    }
  }

  report({ outcome, code, type }: TelemetryReport): void {
    const { inboxParked, inboxRuns } = this.#instrumentation.instruments();
    if (outcome === "parked") inboxParked.add(1, { [SHARED.destination]: this.#namespace });
    else inboxRuns.add(1, this.#own({ outcome, code, type: typeOf(type) }));
  }

  #startSpan(
    operation: keyof typeof OPERATION,
    kind: SpanKind,
    parent: Context,
    { links, attributes = {} }: { readonly links: Link[]; readonly attributes?: Attributes },
  ): { span: Span; active: Context } {
    const all = { ...this.#messaging(operation), [ON_SPANS.operationType]: OPERATION[operation], ...attributes };
    const name = `${OPERATION[operation]} ${this.#namespace}`;
    const span = this.#instrumentation.tracer().startSpan(name, { kind, links, attributes: all }, parent);
    return { span, active: trace.setSpan(parent, span) };
  }

  #countDelivery(report: TelemetryReport, ms: number): void {
    const { outcome, code, eventId, probe } = report;
    const { deliveries, deliveryDuration, duplicates, sent } = this.#instrumentation.instruments();
    const type = probe === true && outcome === "rejected" ? PROBE_TYPE : typeOf(report.type);
    deliveries.add(1, this.#own({ outcome, code, type }));
    deliveryDuration.record(ms / 1000, this.#own({ outcome }));
    if (outcome === "duplicate") duplicates.add(1, this.#own({ type }));
    if (outcome === "accepted") sent.add(1, this.#messaging("send"));
    else if (outcome === "rejected" && eventId !== undefined) sent.add(1, this.#messaging("send", code));
  }

  /** The attributes of the conventions' metrics and of every span. */
  #messaging(operation: keyof typeof OPERATION, errorType?: string): Attributes {
    return {
      [SHARED.system]: SYSTEM,
      [SHARED.operation]: OPERATION[operation],
      [SHARED.destination]: this.#namespace,
      ...(errorType !== undefined && { [SHARED.errorType]: errorType }),
    };
  }

  /** The attributes of this package's own metrics; those without a value are left out. */
  #own(values: { readonly [Name in keyof typeof ON_METRICS]?: string | undefined }): Attributes {
    const attributes: Attributes = { [SHARED.destination]: this.#namespace };
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) attributes[ON_METRICS[name as keyof typeof ON_METRICS]] = value;
    }
    return attributes;
  }
}

function endSpanOfDelivery(span: Span, { outcome, code, status, type, eventId }: TelemetryReport): void {
  span.setAttribute(ON_SPANS.outcome, outcome);
  if (type !== undefined) span.setAttribute(ON_SPANS.type, type);
  if (eventId !== undefined) span.setAttribute(ON_SPANS.eventId, eventId);
  // Of a delivery that was acknowledged, a code is a mere remark.
  const acknowledged = status !== undefined && status < 400;
  if (code !== undefined && !acknowledged) failSpan(span, code);
  span.end();
}

/** The code alone: the message of an error may quote the payload. */
function failSpan(span: Span, code: string): void {
  span.setAttribute(SHARED.errorType, code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function linksTo(traceparent: string | undefined, tracestate: string | undefined): Link[] {
  const linked = spanContextOf(traceparent, tracestate);
  return linked === undefined ? [] : [{ context: linked }];
}

const KNOWN_TYPES: ReadonlySet<string> = new Set(KNOWN_EVENT_TYPES);

function typeOf(type: string | undefined): string | undefined {
  return type === undefined || KNOWN_TYPES.has(type) ? type : OTHER_TYPE;
}

/** What handlers throw has no code of ours, unless they throw why their signal aborted. */
function codeOf(thrown: unknown): string {
  const aborted = thrown instanceof WebhookError && ["handler_timeout", "claim_lost"].includes(thrown.code);
  return aborted ? thrown.code : "handler_failed";
}
