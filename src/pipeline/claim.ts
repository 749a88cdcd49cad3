import { type Eventual, isPending, rest } from "../deadline.ts";
import { WebhookError } from "../errors.ts";
import type { ClaimResult, CompleteResult, DedupeStore } from "../stores/store.ts";
import type { HeldClaim } from "../stores/transaction.ts";
import type { ClaimVerbs } from "./bounded-store.ts";
import { ClaimWatch, type Watched } from "./claim-watch.ts";
import { type Ending, type Lease, leaseFrom } from "./ending.ts";
import type { ThrottledLog } from "./log.ts";
import { NOT_OPEN, type OpenClaim, type OpenClaims } from "./open-claims.ts";
import type { SettleAs, Settled } from "./outcome.ts";

/** What every claim of one receiver has in common, and at the end what those of one delivery have. */
export interface ClaimTerms {
  /** The user's own store. */
  readonly store: DedupeStore;
  /** The same store, asked for a bounded time. */
  readonly verbs: ClaimVerbs;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly maxProcessingMs: number;
  /** Times leases, in milliseconds. */
  readonly clock: () => number;
  readonly log: ThrottledLog;
  /** What `close` waits for. */
  readonly open: OpenClaims;
  /** When this process is ended or frozen, where that is known. */
  readonly ending?: Ending | undefined;
  /** Takes the work that may go on after the answer, where a runtime would end it otherwise. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

const COMPLETIONS: ReadonlySet<unknown> = new Set<CompleteResult>([
  "stored",
  "held_by_another",
  "completed_by_another",
]);

const FAILED_AFTER_COMMIT =
  "a handler failed after the transaction with its completion was committed: the event counts as processed, and no retry " +
  "runs the handler again";

/** How long a completion that the store did not take is tried on. */
const KEEP_COMPLETING_MS = 2 * 60_000;

/** Who minds that a claim's time is over before it was settled. */
export interface TimeoutListener {
  timedOut(): void;
}

/** The claim's life: renewed while the work goes on, aborted when lost, settled once. */
export class Claim implements HeldClaim, OpenClaim, Watched {
  readonly status = "claimed";
  readonly key: string;
  readonly token: string;
  readonly terms: ClaimTerms;
  place: number = NOT_OPEN;
  /** The lease that it was given. */
  readonly lease: Lease;
  readonly #granted: ClaimResult | undefined;
  #watch: ClaimWatch | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #ended: WebhookError | undefined = undefined;
  #settled: Eventual<Settled> | undefined = undefined;
  #handedOver = false;
  #completionWritten = false;
  #timedOut = false;
  #listener: TimeoutListener | undefined = undefined;

  /** @param granted the store's answer; none for work that goes on without a claim, of which nothing is renewed */
  constructor(key: string, token: string, lease: Lease, terms: ClaimTerms, granted: ClaimResult | undefined) {
    this.key = key;
    this.token = token;
    this.terms = terms;
    this.lease = lease;
    this.#granted = granted;
    terms.open.add(this);
    // Its time may be over before the common timer would have started the watch.
    if (terms.ending !== undefined) this.watch();
  }

  /** False for work that goes on although the store gave no claim. */
  get held(): boolean {
    return this.#granted !== undefined;
  }

  /** Aborts when the claim is lost or its time is over. Made when first asked for: most handlers never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  /** Why the signal aborted, where it did. */
  get ended(): WebhookError | undefined {
    return this.#ended;
  }

  /** Tells once if `maxProcessingMs`, or the time to answer, passes before the claim is settled. The last listener counts. */
  onTimeout(listener: TimeoutListener): void {
    this.#listener = listener;
    if (this.#timedOut) listener.timedOut();
  }

  /** Ends the claim; the first call counts, and later ones get its result. Never throws or rejects. */
  settle(result: SettleAs): Eventual<Settled> {
    this.#settled ??= this.#finish(result);
    return this.#settled;
  }

  /** The store that gave the claim. */
  get store(): DedupeStore {
    return this.terms.store;
  }

  /** How long the completion is remembered, in milliseconds. */
  get retentionMs(): number {
    return this.terms.retentionMs;
  }

  /** The completion is written on the user's own transaction: no more renewals, and settling only asks what became of it. */
  handOver(): void {
    this.#handedOver = true;
  }

  /** From now on the transaction may be committed although the handler fails. */
  completionWritten(): void {
    this.#completionWritten = true;
  }

  #finish(result: SettleAs): Eventual<Settled> {
    this.#watch?.stop();
    if (result === "failed") return this.#completionWritten ? this.#learnOfTransaction(result) : this.#release();
    return this.#handedOver ? this.#learnOfTransaction(result) : this.#complete();
  }

  #complete(): Eventual<Settled> {
    const { verbs, retentionMs } = this.terms;
    try {
      const answer = verbs.complete(this.key, { token: this.token, retentionMs }, this.#granted);
      return isPending(answer)
        ? answer.then(
            (result) => this.#done(result),
            (error: unknown) => this.#notTaken(error),
          )
        : this.#done(answer);
    } catch (error) {
      return this.#notTaken(error);
    }
  }

  #done(result: CompleteResult): Settled {
    this.terms.open.delete(this);
    if (COMPLETIONS.has(result)) return result;
    // Neither a promise to the provider, nor an outage that may pass: nobody knows what it did.
    this.terms.log.error(
      "settle_failed",
      "the store's complete answered with none of stored, held_by_another and completed_by_another; the event may run again",
    );
    return "unstored";
  }

  /** The store did not take the completion: it is tried on while the answer goes out. */
  #notTaken(error: unknown): Settled {
    const { log, open, waitUntil } = this.terms;
    log.error("settle_failed", "the store did not take that an event was processed; trying on", error);
    const kept = this.#keepCompleting().finally(() => open.delete(this));
    waitUntil?.(kept);
    return "unstored";
  }

  async #release(): Promise<Settled> {
    const { verbs, log, open } = this.terms;
    try {
      return (await verbs.release(this.key, { token: this.token })) ? "released" : "held_by_another";
    } catch (error) {
      // It lapses by itself, before the provider's first retry.
      log.error("settle_failed", "the store did not take that an event failed", error);
      return "unstored";
    } finally {
      open.delete(this);
    }
  }

  /**
   * Whether the transaction with the completion in it was committed. A claim by the same token tells, where a release that
   * finds nothing would not: the lease may have lapsed by now. In doubt it counts as rolled back, since then the provider's
   * retry finds out.
   */
  async #learnOfTransaction(result: SettleAs): Promise<Settled> {
    const { verbs, log, open } = this.terms;
    const leaseMs = leaseFrom(this.terms.clock(), this.terms);
    try {
      const { status } = await verbs.claim(this.key, { token: this.token, leaseMs });
      if (status === "completed") {
        if (result === "failed") log.error("failed_after_commit", FAILED_AFTER_COMMIT);
        return "stored";
      }
      if (status === "in_flight") return "held_by_another";
      if (result === "failed") return await this.#release();
      log.error(
        "completion_rolled_back",
        "a handler returned, but the transaction with its completion was rolled back: let the error reach the receiver",
      );
      await this.#release();
      return "rolled_back";
    } catch (error) {
      log.error(
        "settle_failed",
        "the store did not tell whether a transaction was committed; the event is retried",
        error,
      );
      return result === "failed" ? "unstored" : "rolled_back";
    } finally {
      open.delete(this);
    }
  }

  /** The work is done and will be answered 2xx: a store that is away for a moment must not make it run again. */
  async #keepCompleting(): Promise<void> {
    const { verbs, leaseMs, retentionMs, log, clock } = this.terms;
    const until = clock() + KEEP_COMPLETING_MS;
    // Ever more slowly, so that all that waits does not fall upon a store that has just come back; often enough for the lease.
    for (let wait = Math.min(leaseMs / 10, 1_000); clock() < until; wait = Math.min(wait * 2, leaseMs / 3)) {
      await rest(wait);
      try {
        await verbs.complete(this.key, { token: this.token, retentionMs });
        return;
      } catch {
        await this.#keepHolding();
      }
    }
    log.error(
      "completion_given_up",
      "an event was processed, but the store could not be told so for two minutes: a further delivery of it would run again",
    );
  }

  /** Renews the claim; if that fails the next round does, too. */
  async #keepHolding(): Promise<void> {
    try {
      const leaseMs = leaseFrom(this.terms.clock(), this.terms);
      await this.terms.verbs.renew(this.key, { token: this.token, leaseMs });
    } catch {
      // See above.
    }
  }

  /** Starts looking after the claim; only the first call does. */
  watch(): void {
    this.#watch ??= new ClaimWatch(this);
  }

  /** Whether its end has begun. */
  get settled(): boolean {
    return this.#settled !== undefined;
  }

  /** Whether a lease guards the work: not without a claim, and not once the completion is in the user's own transaction. */
  get guarded(): boolean {
    return this.held && !this.#handedOver;
  }

  /** The claim is no longer to be relied on. Its settlement still asks the store, which alone knows. */
  end(code: "claim_lost" | "handler_timeout", message: string): void {
    if (this.#settled !== undefined || this.#ended !== undefined) return;
    this.#ended = new WebhookError(code, message);
    this.#controller?.abort(this.#ended);
  }

  /** Nobody waits any longer; a result that comes after all still counts. */
  timeOut(): void {
    this.end("handler_timeout", "the event was worked on for longer than maxProcessingMs, or than this process may");
    this.#timedOut = true;
    this.terms.open.delete(this);
    this.#listener?.timedOut();
  }
}
