import type { Reply } from "../delivery.ts";
import type { WebhookErrorCode } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { ClaimedContext } from "../stores/transaction.ts";
import type { Claim } from "./claim.ts";
import type { ThrottledLog } from "./log.ts";
import type { AcceptedOutcome, DeliveryContext, IdentifiedBy, SettleAs, SettleDetail, Settled } from "./outcome.ts";
import type { ReportDraft, Reports } from "./report.ts";

/** What is known of a delivery beside its event and the life of its claim. */
type DeliveryFacts = Omit<DeliveryContext, "signal">;

/** What an accepted delivery is made of. */
export interface Acceptance {
  readonly event: BluumEvent;
  readonly facts: DeliveryFacts;
  readonly claim: Claim;
  readonly report: ReportDraft;
  readonly reports: Reports;
  readonly log: ThrottledLog;
}

/** What a report may say of the end, beyond what the public settlement tells. */
export interface End {
  readonly status?: number | undefined;
  readonly error?: unknown;
  readonly code?: WebhookErrorCode | undefined;
  /** What settling found, where the claim was settled. */
  readonly settled?: Settled;
}

const NO_DETAIL: SettleDetail = {};

/** An accepted delivery: the public outcome, and the claim and the report that the receiver itself works with. */
export class Accepted implements AcceptedOutcome {
  readonly kind = "accepted";
  readonly event: BluumEvent;
  readonly context: DeliveryContext;
  readonly claim: Claim;
  /** What the receiver's own handlers came to, once they were asked. */
  answer: Promise<Reply> | undefined;
  readonly #report: ReportDraft;
  readonly #reports: Reports;
  readonly #log: ThrottledLog;
  /** Since when the present stretch of work takes its time. */
  #since: number;
  #result: SettleAs | undefined;

  constructor({ event, facts, claim, report, reports, log }: Acceptance) {
    this.event = event;
    this.claim = claim;
    this.context = new Context(facts, claim, claim);
    this.#report = report;
    this.#reports = reports;
    this.#log = log;
    this.#since = reports.now();
    claim.onTimeout(() => this.conclude({ code: "handler_timeout" }));
  }

  /** The context for a single handler's work under a claim of its own, which `completeIn` then completes. */
  contextFor(claim: Claim): DeliveryContext {
    return new Context(this.context, this.claim, claim);
  }

  async settle(result: SettleAs, { status, error }: SettleDetail = NO_DETAIL): Promise<Settled> {
    const settled = await this.finish(result);
    this.conclude({ code: result === "failed" ? "handler_failed" : undefined, status, error, settled });
    return settled;
  }

  /** Settles the claim, without the report: who answers by itself knows more to report. The first call counts. */
  finish(result: SettleAs): Promise<Settled> {
    if (this.#result === undefined) {
      this.#result = result;
      const now = this.#reports.now();
      this.#report.handleMs = now - this.#since;
      this.#since = now;
      if (result === "processed") this.#noteLateReturn();
    }
    return this.claim.settle(this.#result);
  }

  /** Sends the report; only the first call of a delivery does. */
  conclude({ code, status, error, settled }: End): void {
    const report = this.#report;
    if (settled !== undefined) report.settleMs = this.#reports.now() - this.#since;
    if (this.#result === "processed" && settled?.endsWith("_by_another")) report.code = "claim_lost";
    if (settled === "rolled_back") report.code = "completion_rolled_back";
    if (code !== undefined) report.code ??= code;
    if (status !== undefined) report.status = status;
    if (error !== undefined) report.error = error;
    this.#reports.send(report);
  }

  /** Returning means done, aborted or not; that it came after the abort is worth knowing. */
  #noteLateReturn(): void {
    const { ended } = this.claim;
    if (ended === undefined) return;
    this.#report.code = ended.code;
    this.#log.warn(
      "returned_after_abort",
      `a handler returned after its signal had aborted (${ended.code}); to give up, throw: context.signal.throwIfAborted()`,
    );
  }
}

/**
 * The context for work under a claim: the whole event's, or a single handler's own; the signal is always the whole event's. A
 * class, since of an object literal with a getter in it the engine keeps a shape for each request.
 */
class Context extends ClaimedContext implements DeliveryContext {
  readonly eventId: string;
  readonly eventKey: string;
  readonly identifiedBy: IdentifiedBy;
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
  readonly secretIndex: number;
  readonly deduplicated: boolean;
  readonly #whole: Claim;

  constructor(facts: DeliveryFacts, whole: Claim, claim: Claim) {
    super(claim);
    this.eventId = facts.eventId;
    this.eventKey = facts.eventKey;
    this.identifiedBy = facts.identifiedBy;
    this.rawBody = facts.rawBody;
    this.receivedAt = facts.receivedAt;
    this.secretIndex = facts.secretIndex;
    this.deduplicated = facts.deduplicated;
    this.#whole = whole;
  }

  get signal(): AbortSignal {
    return this.#whole.signal;
  }
}
