import { ignoreRejection } from "../async.ts";
import type { Reply } from "../delivery.ts";
import type { WebhookErrorCode } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import type { ReceivingTelemetry } from "../telemetry/telemetry.ts";
import type { Arrival } from "./admission.ts";
import type { Claim } from "./claim.ts";
import { type DeliveryFacts, HandlerContext } from "./context.ts";
import { quoted } from "./log.ts";
import type { AcceptedOutcome, DeliveryContext, SettleAs, SettleDetail, Settled } from "./outcome.ts";
import { isSuccess } from "./reply.ts";
import type { ReportRecorder } from "./report.ts";

/** What a report says of how a delivery ended. */
export interface Result {
  readonly status?: number | undefined;
  readonly error?: unknown;
  readonly settled?: Settled;
}

/** An accepted delivery: the public outcome, and for the receiver its claim and its report. */
export class Accepted implements AcceptedOutcome {
  readonly kind = "accepted";
  readonly event: BluumEvent;
  readonly context: DeliveryContext;
  // Private: printing the outcome must not print the store's client, which may hold a password.
  readonly #facts: DeliveryFacts;
  readonly #claim: Claim;
  readonly #report: ReportRecorder;
  readonly #receiving: ReceivingTelemetry | undefined;
  #settledAs: SettleAs | undefined;
  #reply: Promise<Reply> | undefined;

  constructor(event: BluumEvent, facts: DeliveryFacts, claim: Claim, { report, receiving }: Arrival) {
    this.event = event;
    this.#facts = facts;
    this.#claim = claim;
    this.#report = report;
    this.#receiving = receiving;
    this.context = new HandlerContext(facts, claim, claim);
    report.add({ outcome: "accepted" });
    claim.onceTimedOut(() => this.report("handler_timeout"));
  }

  /** The claim on the event. */
  get claim(): Claim {
    return this.#claim;
  }

  /** The context of one handler whose success is remembered under a claim of its own. */
  contextFor(claim: Claim): DeliveryContext {
    return new HandlerContext(this.#facts, this.#claim, claim);
  }

  /** One request, one run of the handlers, however often the receiver is mounted. */
  replyOnce(run: () => Promise<Reply>): Promise<Reply> {
    this.#reply ??= this.#receiving === undefined ? run() : this.#receiving.within(run);
    return this.#reply;
  }

  async settle(as: SettleAs, detail: SettleDetail = {}): Promise<Settled> {
    const { status, error } = detail ?? {};
    const settled = await this.settleClaim(this.#known(as));
    const failed = this.#settledAs === "failed";
    if (failed && status !== undefined && isSuccess(status)) this.#logLostFailure(status);
    this.report(failed ? "handler_failed" : undefined, { status, error, settled });
    return settled;
  }

  /** Settles the claim; the report is left to the caller. The first call counts. */
  async settleClaim(as: SettleAs): Promise<Settled> {
    if (this.#settledAs === undefined) {
      this.#settledAs = as;
      this.#report.lap("handleMs");
      if (as === "processed" && this.#claim.abortedWith !== undefined)
        this.#logLateReturn(this.#claim.abortedWith.code);
    }
    const settled = await this.#claim.settle(this.#settledAs);
    this.#report.lap("settleMs");
    return settled;
  }

  /** Sends the report; only the first call of a delivery does. */
  report(code: WebhookErrorCode | undefined, { status, error, settled }: Result = {}): void {
    const lost = settled === "held_by_another" || settled === "completed_by_another";
    if (lost && this.#settledAs === "processed") this.#report.add({ code: "claim_lost" });
    if (settled === "rolled_back") this.#report.add({ code: "completion_rolled_back" });
    this.#report.send({ code, status, error });
  }

  /** Only "processed" may cost an event its retries; a misspelt "failed" must not. */
  #known(as: SettleAs): SettleAs {
    if (as === "processed" || as === "failed") return as;
    ignoreRejection(as);
    this.#claim.settings.log.error(
      "settle_unknown",
      'settle() was called with neither "processed" nor "failed"; the event counts as failed',
    );
    return "failed";
  }

  #logLostFailure(status: number): void {
    this.#claim.settings.log.error(
      "failed_but_acknowledged",
      `event ${quoted(this.context.eventKey, 200)} failed, but ${status} was answered, so Bluum will not retry it: ask for a replay`,
    );
  }

  /** Returning means done, aborted or not. */
  #logLateReturn(code: WebhookErrorCode): void {
    this.#report.add({ code });
    this.#claim.settings.log.warn(
      "returned_after_abort",
      `a handler returned after its signal had aborted (${code}), which counts as success; to give up, throw: context.signal.throwIfAborted()`,
    );
  }
}
