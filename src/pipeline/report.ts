import { ignoreRejection } from "../async.ts";
import type { WebhookErrorCode } from "../errors.ts";
import type { IdentifiedBy, Outcome } from "./outcome.ts";
import { statusOf } from "./reply.ts";

/**
 * One record for each delivery, and with an inbox one for each run of a stored event and each event that is parked; for metrics and
 * traces. It holds no payload and no secret. Durations are in milliseconds.
 */
export interface DeliveryReport {
  /**
   * What the delivery came to; `"accepted"` with an inbox means stored. `"processed"` and `"failed"` are runs of a stored event,
   * `"parked"` is the end of its attempts.
   */
  readonly outcome: Outcome["kind"] | "processed" | "failed" | "parked";
  /** Which of the inbox's attempts a run was. */
  readonly attempt?: { readonly number: number; readonly of: number };
  /** Why it was not accepted, or how its processing went wrong. */
  readonly code?: WebhookErrorCode;
  /** The status answered, where this package saw it. */
  readonly status?: number;
  readonly eventId?: string;
  readonly type?: string;
  readonly identifiedBy?: IdentifiedBy;
  readonly secretIndex?: number;
  /** The size of the body, in bytes; missing if it was not read. */
  readonly bodyBytes?: number;
  /** Reading the body, in milliseconds. */
  readonly readMs: number;
  /** Verifying the signature, the secret function's time included, in milliseconds. */
  readonly verifyMs: number;
  /** Asking the store for the claim, in milliseconds. */
  readonly claimMs: number;
  /** From the claim to the handler's result, in milliseconds. */
  readonly handleMs: number;
  /** Telling the store the result, in milliseconds. */
  readonly settleMs: number;
  /**
   * True for a request that claims to be a probe of `verifyMount`. The claim is not signed: anybody can send its header. Missing
   * otherwise.
   */
  readonly probe?: true;
  /** The error behind the code: of a handler, a store or a secret function. */
  readonly error?: unknown;
}

/** Collects the report of one delivery, and sends it once, if anybody observes. */
export class ReportRecorder {
  readonly #observe: Observer | undefined;
  readonly #report: { -readonly [Field in keyof DeliveryReport]: DeliveryReport[Field] } = {
    outcome: "rejected",
    readMs: 0,
    verifyMs: 0,
    claimMs: 0,
    handleMs: 0,
    settleMs: 0,
  };
  #lapStartedAt: number = performance.now();
  #sent = false;

  constructor(observe: Observer | undefined) {
    this.#observe = observe;
  }

  /** Adds what is known; undefined fields are left out. */
  add(facts: Facts): void {
    if (this.#observe === undefined) return;
    for (const [field, value] of Object.entries(facts)) {
      if (value !== undefined) Object.assign(this.#report, { [field]: value });
    }
  }

  /** Adds the time since the last lap to one of the durations. */
  lap(duration: "readMs" | "verifyMs" | "claimMs" | "handleMs" | "settleMs"): void {
    if (this.#observe === undefined) return;
    const now = performance.now();
    this.#report[duration] += now - this.#lapStartedAt;
    this.#lapStartedAt = now;
  }

  /** Sends the report; only the first call does. A code that was added before stands. What the observer throws is ignored. */
  send(facts: Facts): void {
    if (this.#observe === undefined || this.#sent) return;
    this.#sent = true;
    const { code = facts.code } = this.#report;
    this.add({ ...facts, code });
    try {
      // A copy: what happens to the delivery afterwards must not change what was reported.
      const returned: unknown = this.#observe({ ...this.#report });
      ignoreRejection(returned);
    } catch {
      // An observer must never cost an event.
    }
  }
}

/** Without an observer a recorder keeps nothing, so all deliveries share one. */
const SILENT = new ReportRecorder(undefined);

/** A recorder for the option `observe` and for telemetry, whichever there is. */
export function recorderFor(
  observe: Observer | undefined,
  telemetry: { report(report: DeliveryReport): void } | undefined,
): ReportRecorder {
  if (telemetry === undefined) return observe === undefined ? SILENT : new ReportRecorder(observe);
  return new ReportRecorder((report) => {
    telemetry.report(report);
    return observe?.(report);
  });
}

type Observer = (report: DeliveryReport) => void;
type Facts = { readonly [Field in keyof DeliveryReport]?: DeliveryReport[Field] | undefined };

/** Reports an outcome on which no work follows. */
export function reported<Final extends Exclude<Outcome, { kind: "accepted" }>>(
  outcome: Final,
  report: ReportRecorder,
): Final {
  const code = outcome.kind === "in_flight" ? "event_in_flight" : undefined;
  report.send({ outcome: outcome.kind, status: statusOf(outcome), code });
  return outcome;
}
