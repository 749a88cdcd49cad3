import { type Eventual, ignoreRejection, isPending } from "../async.ts";
import type { Reply } from "../delivery.ts";
import type { WebhookErrorCode } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { ClaimedContext } from "../stores/transaction.ts";
import type { Claim, TimeoutListener } from "./claim.ts";
import type { AcceptedOutcome, DeliveryContext, IdentifiedBy, SettleAs, SettleDetail, Settled } from "./outcome.ts";
import type { ReportDraft } from "./report-draft.ts";
import { isSuccess } from "./settle.ts";

/** What is known of a delivery beside its event and the life of its claim. */
export type DeliveryFacts = Omit<DeliveryContext, "signal" | "deduplicated">;

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
export class Accepted implements AcceptedOutcome, TimeoutListener {
  readonly kind = "accepted";
  readonly event: BluumEvent;
  readonly context: DeliveryContext;
  /** What the receiver's own handlers came to, once they were asked. */
  answer: Eventual<Reply> | undefined = undefined;
  // Private, since printing the outcome must not print the store's client, which may hold a password.
  readonly #claim: Claim;
  readonly #report: ReportDraft;
  #result: SettleAs | undefined = undefined;

  constructor(event: BluumEvent, facts: DeliveryFacts, claim: Claim, report: ReportDraft) {
    this.event = event;
    this.context = new Context(facts, claim, claim);
    this.#claim = claim;
    this.#report = report;
    report.outcome = "accepted";
    claim.onTimeout(this);
  }

  /** The claim on the event. */
  get claim(): Claim {
    return this.#claim;
  }

  /** The context for a single handler's work under a claim of its own, which `completeIn` then completes. */
  contextFor(claim: Claim): DeliveryContext {
    return new Context(this.context, this.claim, claim);
  }

  timedOut(): void {
    this.conclude({ code: "handler_timeout" });
  }

  async settle(result: SettleAs, detail: SettleDetail = NO_DETAIL): Promise<Settled> {
    const { status, error } = detail ?? NO_DETAIL;
    const as = this.#understood(result);
    const found = this.finish(as);
    if (status !== undefined && isSuccess(status)) this.#noteLostFailure(status);
    const settled = isPending(found) ? await found : found;
    this.conclude({ code: as === "failed" ? "handler_failed" : undefined, status, error, settled });
    return settled;
  }

  /** Only "processed" may cost an event its retries; what is neither, such as a misspelt "failed", must not. */
  #understood(result: SettleAs): SettleAs {
    if (result === "processed" || result === "failed") return result;
    ignoreRejection(result);
    this.claim.terms.log.error(
      "settle_unknown",
      'settle() was called with neither "processed" nor "failed"; the event counts as failed',
    );
    return "failed";
  }

  /** Settles the claim, without the report: who answers by itself knows more to report. The first call counts. */
  finish(result: SettleAs): Eventual<Settled> {
    if (this.#result === undefined) {
      this.#result = result;
      this.#report.end("handleMs");
      if (result === "processed" && this.claim.ended !== undefined) this.#noteLateReturn(this.claim.ended.code);
    }
    return this.claim.settle(this.#result);
  }

  /** Sends the report; only the first call of a delivery does. */
  conclude({ code, status, error, settled }: End): void {
    const report = this.#report;
    if (settled !== undefined) report.end("settleMs");
    const lost = settled === "held_by_another" || settled === "completed_by_another";
    if (lost && this.#result === "processed") report.code = "claim_lost";
    if (settled === "rolled_back") report.code = "completion_rolled_back";
    if (code !== undefined) report.code ??= code;
    if (status !== undefined) report.status = status;
    if (error !== undefined) report.error = error;
    report.send();
  }

  /** A 2xx that left for an event that failed: nothing but a replay brings it back. */
  #noteLostFailure(status: number): void {
    if (this.#result !== "failed") return;
    this.claim.terms.log.error(
      "failed_but_acknowledged",
      `event ${this.context.eventKey} failed, but ${status} was answered, so the provider will not retry it: ask for a replay`,
    );
  }

  /** Returning means done, aborted or not; that it came after the abort is worth knowing. */
  #noteLateReturn(code: WebhookErrorCode): void {
    this.#report.code = code;
    this.claim.terms.log.warn(
      "returned_after_abort",
      `a handler returned after its signal had aborted (${code}), which counts as success; to give up, throw: context.signal.throwIfAborted()`,
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
    this.deduplicated = whole.held;
    this.#whole = whole;
  }

  get signal(): AbortSignal {
    return this.#whole.signal;
  }
}
