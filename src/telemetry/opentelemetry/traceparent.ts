import { createTraceState, isSpanContextValid, type SpanContext } from "@opentelemetry/api";

/** Version, trace id, span id and flags. A later version may add to it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** Reads a `traceparent` of W3C Trace Context with its `tracestate`; undefined if it is none. What is invalid in `tracestate` is dropped. */
export function spanContextOf(traceparent: string | undefined, tracestate?: string): SpanContext | undefined {
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  if (!isSpanContextValid(found)) return undefined;
  return tracestate === undefined ? found : { ...found, traceState: createTraceState(tracestate) };
}

/** Writes a `traceparent`; undefined without a trace. */
export function traceparentOf(span: SpanContext): string | undefined {
  if (!isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-0${span.traceFlags & 1}`;
}
