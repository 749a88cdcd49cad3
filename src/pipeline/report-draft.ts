import { ignoreRejection } from "../async.ts";
import type { IdentifiedBy } from "./outcome.ts";
import type { DeliveryReport } from "./report.ts";

type Duration = "readMs" | "verifyMs" | "claimMs" | "handleMs" | "settleMs";

/**
 * A report being filled in while the delivery is on its way; sent once, if anybody observes. Every field is there from the start,
 * since an object that grows costs more than one that is whole.
 */
export class ReportDraft implements Record<keyof DeliveryReport, unknown> {
  outcome: DeliveryReport["outcome"] = "rejected";
  code: DeliveryReport["code"] = undefined;
  status: number | undefined = undefined;
  eventId: string | undefined = undefined;
  type: string | undefined = undefined;
  identifiedBy: IdentifiedBy | undefined = undefined;
  secretIndex: number | undefined = undefined;
  bodyBytes: number | undefined = undefined;
  readMs = 0;
  verifyMs = 0;
  claimMs = 0;
  handleMs = 0;
  settleMs = 0;
  probe: true | undefined = undefined;
  error: unknown = undefined;
  /** Who gets it, until it was sent. */
  #observe: Observer | undefined;
  /** Since when the present stretch of work takes its time. */
  #since = 0;

  constructor(observe: Observer | undefined) {
    this.#observe = observe;
  }

  /** A stretch of work begins. */
  begin(): void {
    if (this.#observe !== undefined) this.#since = performance.now();
  }

  /** It is over, and the next one begins. */
  end(duration: Duration): void {
    if (this.#observe === undefined) return;
    const now = performance.now();
    this[duration] += now - this.#since;
    this.#since = now;
  }

  /** Sends what is known; only the first call does. What the observer throws, at once or later, is swallowed. */
  send(): void {
    const observe = this.#observe;
    if (observe === undefined) return;
    this.#observe = undefined;
    try {
      // A copy: what happens to the delivery afterwards must not change what was reported.
      const known = Object.entries(this).filter(([, value]) => value !== undefined);
      const returned: unknown = observe(Object.fromEntries(known) as unknown as DeliveryReport);
      ignoreRejection(returned);
    } catch {
      // An observer must never cost an event.
    }
  }
}

type Observer = (report: DeliveryReport) => void;

/** Of every delivery that nobody observes: written by all, read by none. */
const UNOBSERVED = new ReportDraft(undefined);

/** Starts a report, with no time spent. */
export function reportTo(observe: Observer | undefined): ReportDraft {
  return observe === undefined ? UNOBSERVED : new ReportDraft(observe);
}
