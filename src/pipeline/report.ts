import type { WebhookErrorCode } from "../errors.ts";
import type { IdentifiedBy, Outcome } from "./outcome.ts";

/** One record a delivery, for metrics and traces. It holds no payload and no secret. Durations are in milliseconds. */
export interface DeliveryReport {
  /** What the delivery came to. */
  readonly outcome: Outcome["kind"];
  /** Why it was not accepted, or how its processing went wrong. */
  readonly code?: WebhookErrorCode;
  /** The status answered, where this package saw it. */
  readonly status?: number;
  readonly eventId?: string;
  readonly type?: string;
  readonly identifiedBy?: IdentifiedBy;
  readonly secretIndex?: number;
  readonly bodyBytes?: number;
  /** Reading the body. */
  readonly readMs: number;
  /** Verifying the signature, the secret function's time included. */
  readonly verifyMs: number;
  /** Asking the store for the claim. */
  readonly claimMs: number;
  /** From the claim to the handler's result. */
  readonly handleMs: number;
  /** Telling the store the result. */
  readonly settleMs: number;
  /** The error behind the code: of a handler, a store or a secret function. */
  readonly error?: unknown;
}

/** A report being filled in while the delivery is on its way; sent once. */
export type ReportDraft = { -readonly [K in keyof DeliveryReport]: DeliveryReport[K] } & { sent: boolean };

/** Starts a report with no time spent. */
export function draftReport(): ReportDraft {
  return { sent: false, outcome: "rejected", readMs: 0, verifyMs: 0, claimMs: 0, handleMs: 0, settleMs: 0 };
}

/** Where the reports of one receiver go. */
export interface Reports {
  /** The clock for durations, in milliseconds; it stands still where nobody observes. */
  now(): number;
  /** Sends a report; each draft goes out once. What the observer throws, at once or later, is swallowed. */
  send(draft: ReportDraft): void;
}

/** Sends reports to an observer, where there is one. */
export function reportsTo(observe: ((report: DeliveryReport) => void) | undefined): Reports {
  if (observe === undefined) return { now: () => 0, send() {} };
  return {
    now: () => performance.now(),
    send(draft) {
      const { sent, ...report } = draft;
      if (sent) return;
      draft.sent = true;
      try {
        // A copy: what happens to the delivery afterwards must not change what was reported.
        const returned: unknown = observe(report);
        Promise.resolve(returned).catch(() => {});
      } catch {
        // An observer must never cost an event.
      }
    },
  };
}
