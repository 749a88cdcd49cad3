import { ignoreRejection } from "../async.ts";
import type { ReceiverTelemetry, ReceivingTelemetry } from "./telemetry.ts";

/** Telemetry that throws must not cost an event: what it throws is ignored, and the work that it wraps runs once, whatever it does. */
export function guarded(telemetry: ReceiverTelemetry): ReceiverTelemetry {
  return {
    receiving: (delivery) => guardedReceiving(attempt(() => telemetry.receiving(delivery))),
    handling: (run, work) => inside((once) => telemetry.handling(run, once), work),
    report: (report) => attempt(() => telemetry.report(report)),
    close: () => attempt(() => telemetry.close?.()),
  };
}

function guardedReceiving(receiving: ReceivingTelemetry | undefined): ReceivingTelemetry {
  return {
    get traceparent() {
      return textOf(() => receiving?.traceparent);
    },
    get tracestate() {
      return textOf(() => receiving?.tracestate);
    },
    within: (work) => inside((once) => receiving?.within(once), work),
    report: (report) => attempt(() => receiving?.report(report)),
  };
}

/** Anything else than a text would make the stored message unreadable. */
function textOf(read: () => unknown): string | undefined {
  const value = attempt(read);
  return typeof value === "string" ? value : undefined;
}

function attempt<T>(call: () => T): T | undefined {
  try {
    const returned = call();
    ignoreRejection(returned);
    return returned;
  } catch {
    return undefined;
  }
}

/** Runs work inside a wrapper. The result is the work's own, never the wrapper's. */
function inside<T>(wrapper: (work: () => Promise<T>) => unknown, work: () => Promise<T>): Promise<T> {
  let result: Promise<T> | undefined;
  const once = () => {
    result ??= work();
    return result;
  };
  attempt(() => wrapper(once));
  return once();
}
