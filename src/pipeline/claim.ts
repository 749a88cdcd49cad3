import { randomUUID } from "node:crypto";
import { rest, unref, within } from "../deadline.ts";
import { WebhookError } from "../errors.ts";
import type { ClaimResult, DedupeStore } from "../stores/store.ts";
import type { HeldClaim } from "../stores/transaction.ts";
import type { ThrottledLog } from "./log.ts";
import type { SettleAs, Settled } from "./outcome.ts";

/** What every claim of one receiver has in common. */
export interface ClaimTerms {
  readonly store: DedupeStore;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly maxProcessingMs: number;
  readonly log: ThrottledLog;
  /** Work that `close` waits for. */
  readonly unfinished: Set<unknown>;
}

/** A store that neither answers nor fails for this long has failed, whatever its own time-out. */
const STORE_TIMEOUT_MS = 10_000;
/** How long a completion that the store did not take is tried on. */
const KEEP_COMPLETING_MS = 2 * 60_000;

/**
 * Claims an event, and gives the claim or what stood in its way.
 *
 * @throws what the store threw, or a time-out; whatever the store may have written by then is released as far as possible
 */
export async function takeClaim(
  key: string,
  terms: ClaimTerms,
): Promise<Claim | Exclude<ClaimResult, { status: "claimed" }>> {
  const { store, leaseMs } = terms;
  const token = randomUUID();
  const sentAt = performance.now();
  const answer = started(() => store.claim(key, { token, leaseMs }));
  const result = await within(answer, STORE_TIMEOUT_MS).catch((error: unknown) => {
    releaseGhost(store, key, token, answer);
    throw error;
  });
  return result.status === "claimed" ? new Claim(key, token, sentAt, terms) : result;
}

/**
 * A claim that failed may have been written all the same, now or when the backend gets round to it; unreleased, it would
 * keep the event's retries away until its lease lapses.
 */
function releaseGhost(store: DedupeStore, key: string, token: string, answer: Promise<ClaimResult>): void {
  const release = () => started(() => store.release(key, { token })).catch(() => {});
  void release();
  answer.then((late) => (late.status === "claimed" ? release() : undefined)).catch(() => {});
}

/** The claim's life: renewed while the work goes on, aborted when lost, settled once. */
export class Claim implements HeldClaim {
  readonly status = "claimed";
  readonly key: string;
  readonly token: string;
  readonly #terms: ClaimTerms;
  readonly #takenAt: number;
  /** When the last renewal that succeeded (or the claim) was sent: from then on the lease runs, whatever came later. */
  #goodSince: number;
  #renewAt: number;
  #renewing = false;
  #timer: unknown;
  #controller: AbortController | undefined;
  #ended: WebhookError | undefined;
  #settled: Promise<Settled> | undefined;
  #handedOver = false;
  #timedOut = false;
  #onTimeout: (() => void) | undefined;

  /** False for work that goes on although the store gave no claim: nothing is renewed. */
  readonly held: boolean;

  constructor(key: string, token: string, sentAt: number, terms: ClaimTerms, held = true) {
    this.held = held;
    this.key = key;
    this.token = token;
    this.#terms = terms;
    this.#takenAt = sentAt;
    this.#goodSince = held ? sentAt : Number.POSITIVE_INFINITY;
    this.#renewAt = held ? sentAt + terms.leaseMs / 3 : Number.POSITIVE_INFINITY;
    terms.unfinished.add(this);
    this.#tick();
  }

  /** The work without a claim, for `onStoreError: "accept"`. */
  static withoutStore(key: string, terms: ClaimTerms): Claim {
    return new Claim(key, randomUUID(), performance.now(), terms, false);
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

  /** Calls back once if `maxProcessingMs` passes before the claim is settled. */
  onTimeout(callback: () => void): void {
    this.#onTimeout = callback;
    if (this.#timedOut) callback();
  }

  /** Ends the claim; the first call counts, and later ones get its result. Never rejects. */
  settle(result: SettleAs): Promise<Settled> {
    this.#settled ??= this.#finish(result);
    return this.#settled;
  }

  /** The store that gave the claim. */
  get store(): DedupeStore {
    return this.#terms.store;
  }

  /** How long the completion is remembered, in milliseconds. */
  get retentionMs(): number {
    return this.#terms.retentionMs;
  }

  /** The completion is written on the user's own transaction: no more renewals, and settling only asks what became of it. */
  handOver(): void {
    this.#handedOver = true;
    this.#goodSince = Number.POSITIVE_INFINITY;
    this.#renewAt = Number.POSITIVE_INFINITY;
  }

  async #finish(result: SettleAs): Promise<Settled> {
    this.#stop();
    if (result === "failed") return this.#release();
    return this.#handedOver ? this.#learnOfTransaction() : this.#complete();
  }

  async #complete(): Promise<Settled> {
    const { store, retentionMs, log, unfinished } = this.#terms;
    try {
      const result = await ask(() => store.complete(this.key, { token: this.token, retentionMs }));
      unfinished.delete(this);
      return result;
    } catch (error) {
      log.error("settle_failed", "the store did not take that an event was processed; trying on", error);
      void this.#keepCompleting().finally(() => unfinished.delete(this));
      return "unstored";
    }
  }

  async #release(): Promise<Settled> {
    const { store, log, unfinished } = this.#terms;
    try {
      return (await ask(() => store.release(this.key, { token: this.token }))) ? "released" : "held_by_another";
    } catch (error) {
      // It lapses by itself, before the provider's first retry.
      log.error("settle_failed", "the store did not take that an event failed", error);
      return "unstored";
    } finally {
      unfinished.delete(this);
    }
  }

  /**
   * Whether the transaction with the completion in it was committed. A claim by the same token tells, where a release that
   * finds nothing would not: the lease may have lapsed by now. In doubt it counts as rolled back, since then the provider's
   * retry finds out.
   */
  async #learnOfTransaction(): Promise<Settled> {
    const { store, leaseMs, log, unfinished } = this.#terms;
    try {
      const { status } = await ask(() => store.claim(this.key, { token: this.token, leaseMs }));
      if (status === "completed") return "stored";
      if (status === "in_flight") return "held_by_another";
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
      return "rolled_back";
    } finally {
      unfinished.delete(this);
    }
  }

  /** The work is done and will be answered 2xx: a store that is away for a moment must not make it run again. */
  async #keepCompleting(): Promise<void> {
    const { store, leaseMs, retentionMs, log } = this.#terms;
    const { key, token } = this;
    const until = performance.now() + KEEP_COMPLETING_MS;
    // Ever more slowly, so that all that waits does not fall upon a store that has just come back; often enough for the lease.
    for (let wait = Math.min(leaseMs / 10, 1_000); performance.now() < until; wait = Math.min(wait * 2, leaseMs / 3)) {
      await rest(wait);
      try {
        await ask(() => store.complete(key, { token, retentionMs }));
        return;
      } catch {
        await ask(() => store.renew(key, { token, leaseMs })).catch(() => {});
      }
    }
    log.error(
      "completion_given_up",
      "an event was processed, but the store could not be told so for two minutes: a further delivery of it would run again",
    );
  }

  /** Looks after the claim ten times a lease, and whenever a renewal is due, the lease lapses or the time is over. */
  #tick(): void {
    // Whoever listens for the abort may have settled just now.
    if (this.#settled !== undefined) return;
    const { leaseMs, maxProcessingMs } = this.#terms;
    const now = performance.now();
    const due = [this.#renewAt, this.#goodSince + leaseMs, this.#takenAt + maxProcessingMs].filter((at) => at > now);
    this.#timer = setTimeout(() => this.#look(), Math.ceil(Math.min(leaseMs / 10, ...due.map((at) => at - now))));
    unref(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#takenAt >= this.#terms.maxProcessingMs) {
      this.#timeOut();
      return;
    }
    if (this.#ended === undefined) {
      if (now - this.#goodSince >= this.#terms.leaseMs)
        this.#end("claim_lost", "the claim could not be renewed within its lease");
      else if (now >= this.#renewAt && !this.#renewing) void this.#renew(now);
    }
    this.#tick();
  }

  async #renew(sentAt: number): Promise<void> {
    const { store, leaseMs, log } = this.#terms;
    this.#renewing = true;
    try {
      // A renewal that hangs must leave time for another one.
      const held = await ask(() => store.renew(this.key, { token: this.token, leaseMs }), leaseMs / 3);
      if (!held) return this.#end("claim_lost", "another process has taken the event over");
      this.#goodSince = sentAt;
      this.#renewAt = sentAt + leaseMs / 3;
    } catch (error) {
      // The next look tries again, a tenth of the lease later.
      log.warn("renew_failed", "a claim could not be renewed; trying again while its lease lasts", error);
    } finally {
      this.#renewing = false;
    }
  }

  /** The claim is no longer to be relied on. Its settlement still asks the store, which alone knows. */
  #end(code: "claim_lost" | "handler_timeout", message: string): void {
    if (this.#settled !== undefined || this.#ended !== undefined) return;
    this.#ended = new WebhookError(code, message);
    this.#controller?.abort(this.#ended);
  }

  /** Nobody waits any longer; a result that comes after all still counts. */
  #timeOut(): void {
    this.#end("handler_timeout", "the event was worked on for longer than maxProcessingMs");
    this.#timedOut = true;
    this.#terms.unfinished.delete(this);
    this.#onTimeout?.();
  }

  #stop(): void {
    clearTimeout(this.#timer as ReturnType<typeof setTimeout>);
  }
}

/** Asks the store, for a bounded time. */
function ask<T>(verb: () => Promise<T>, ms: number = STORE_TIMEOUT_MS): Promise<T> {
  return within(started(verb), Math.min(ms, STORE_TIMEOUT_MS));
}

/** Calls the store inside a promise, so that a throw and a rejection are one. */
async function started<T>(verb: () => Promise<T>): Promise<T> {
  return verb();
}
