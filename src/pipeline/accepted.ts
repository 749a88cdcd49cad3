import type { Reply } from "../delivery.ts";
import type { WebhookErrorCode } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import type { Claim } from "./claim.ts";
import type { ThrottledLog } from "./log.ts";
import type { AcceptedOutcome, DeliveryContext, SettleAs, SettleDetail, Settled } from "./outcome.ts";
import type { ReportDraft } from "./report.ts";

/** What an accepted delivery is made of. */
export interface Acceptance {
  readonly event: BluumEvent;
  readonly context: Omit<DeliveryContext, "signal">;
  readonly claim: Claim;
  readonly report: ReportDraft;
  readonly send: (report: ReportDraft) => void;
  readonly log: ThrottledLog;
}

/** What a report may say of the end, beyond what the public settlement tells. */
export interface End extends SettleDetail {
  readonly code?: WebhookErrorCode | undefined;
}

/** An accepted delivery: the public outcome, and the claim and the report that the receiver itself works with. */
export class Accepted implements AcceptedOutcome {
  readonly kind = "accepted";
  readonly event: BluumEvent;
  readonly context: DeliveryContext;
  readonly claim: Claim;
  /** What the receiver's own handlers came to, once they were asked. */
  answer: Promise<Reply> | undefined;
  readonly #report: ReportDraft;
  readonly #send: (report: ReportDraft) => void;
  readonly #log: ThrottledLog;
  readonly #since: number = performance.now();
  #finished: Promise<Settled> | undefined;

  constructor({ event, context, claim, report, send, log }: Acceptance) {
    this.event = event;
    this.claim = claim;
    this.context = {
      ...context,
      get signal() {
        return claim.signal;
      },
    };
    this.#report = report;
    this.#send = send;
    this.#log = log;
    claim.onTimeout(() => this.conclude({ code: "handler_timeout" }));
  }

  async settle(result: SettleAs, detail: SettleDetail = {}): Promise<Settled> {
    const settled = await this.finish(result);
    this.conclude({ code: result === "failed" ? "handler_failed" : undefined, ...detail });
    return settled;
  }

  /** Settles the claim, without the report: who answers by itself knows more to report. The first call counts. */
  finish(result: SettleAs): Promise<Settled> {
    this.#finished ??= this.#finish(result);
    return this.#finished;
  }

  async #finish(result: SettleAs): Promise<Settled> {
    const ran = performance.now();
    this.#report.handleMs = ran - this.#since;
    if (result === "processed") this.#noteLateReturn();
    const settled = await this.claim.settle(result);
    this.#report.settleMs = performance.now() - ran;
    if (result === "processed" && settled.endsWith("_by_another")) this.#report.code = "claim_lost";
    return settled;
  }

  /** Sends the report; only the first call of a delivery does. */
  conclude({ code, status, error }: End): void {
    if (code !== undefined) this.#report.code ??= code;
    if (status !== undefined) this.#report.status = status;
    if (error !== undefined) this.#report.error = error;
    this.#send(this.#report);
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
