import { randomBytes } from "node:crypto";
import { sleep } from "../async.ts";
import { WebhookError } from "../errors.ts";
import type { ClaimResult, CompleteResult, DedupeStore } from "../stores/store.ts";
import type { HeldClaim } from "../stores/transaction.ts";
import type { Deadline } from "./deadline.ts";
import { Heartbeat, type HeartbeatListener, type Lease, leaseFromNow } from "./lease.ts";
import type { ThrottledLog } from "./log.ts";
import type { SettleAs, Settled } from "./outcome.ts";
import type { TimedStore } from "./store-timeouts.ts";

/** What the claims of one delivery have in common. */
export interface ClaimSettings {
  /** The store as the user gave it. */
  readonly store: DedupeStore;
  /** The same store; every call of it ends in bounded time. */
  readonly timedStore: TimedStore;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly maxProcessingMs: number;
  readonly log: ThrottledLog;
  /** Makes a fencing token that no other claim has. */
  readonly newToken: () => string;
  /** The claims of the receiver that are not settled yet: what `close` waits for. */
  readonly open: Set<Claim>;
  readonly deadline?: Deadline | undefined;
  /** Takes work that goes on after the answer, where the runtime would end it otherwise. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** Another process has the event, or it is processed already. */
export type NotAcquired = Exclude<ClaimResult, { status: "claimed" }>;

/**
 * Claims an event.
 *
 * @throws what the store threw, or a timeout
 */
export async function acquire(key: string, settings: ClaimSettings): Promise<Claim | NotAcquired> {
  const token = settings.newToken();
  const lease = leaseFromNow(settings.leaseMs, settings.deadline);
  const result = await settings.timedStore.claim(key, { token, leaseMs: lease.leaseMs });
  return result.status === "claimed" ? new Claim(key, token, lease, settings) : result;
}

/** Work without a claim, for `onStoreError: "accept"`. Nothing is renewed; settling still asks the store. */
export function withoutClaim(key: string, settings: ClaimSettings): Claim {
  return new Claim(key, settings.newToken(), undefined, settings);
}

/**
 * Makes fencing tokens: 128 random bits, drawn once, and a count. Random bits for each token would cost more than the rest of the
 * claim.
 */
export function fencingTokens(): () => string {
  // Not before the first token: Cloudflare Workers allow no random values while a module starts, where receivers are created.
  let prefix: string | undefined;
  let count = 0;
  return () => {
    prefix ??= randomBytes(16).toString("base64url");
    count += 1;
    // Joined, not concatenated: V8 would keep the pieces beside the text, in every record of a store.
    return [prefix, count].join(".");
  };
}

const COMPLETE_RESULTS: ReadonlySet<unknown> = new Set<CompleteResult>([
  "stored",
  "held_by_another",
  "completed_by_another",
]);

const FAILED_AFTER_COMMIT =
  "a handler failed after the transaction with its completion was committed: the event counts as processed, and no retry " +
  "runs the handler again";

/** How long a completion that could not be recorded is retried in the background. */
const RETRY_COMPLETION_MS = 2 * 60_000;

/**
 * Where the completion is recorded: by settling, or in the user's own transaction (`completeIn`). Once it is written there, the
 * transaction may be committed even if the handler fails.
 */
type Completion = "by_settling" | "in_transaction" | "written_in_transaction";

/** The exclusive right to work on an event: renewed while the work goes on, aborted when lost, settled once. */
export class Claim implements HeldClaim, HeartbeatListener {
  readonly status = "claimed";
  readonly key: string;
  readonly token: string;
  /** False for work that goes on although the store gave no claim. */
  readonly held: boolean;
  readonly #settings: ClaimSettings;
  readonly #heartbeat: Heartbeat;
  #controller: AbortController | undefined;
  #abortedWith: WebhookError | undefined;
  #completion: Completion = "by_settling";
  #timeoutListener: (() => void) | undefined;
  #timedOut = false;
  #settled: Promise<Settled> | undefined;
  #recordedLate: Promise<boolean> | undefined;

  constructor(key: string, token: string, lease: Lease | undefined, settings: ClaimSettings) {
    this.key = key;
    this.token = token;
    this.held = lease !== undefined;
    this.#settings = settings;
    const { leaseMs, maxProcessingMs, deadline, open } = settings;
    const startedAt = lease?.startedAt ?? performance.now();
    const timeoutAt = Math.min(startedAt + maxProcessingMs, deadline?.answerBy ?? Number.POSITIVE_INFINITY);
    this.#heartbeat = new Heartbeat(this, lease, leaseMs, timeoutAt);
    open.add(this);
  }

  get settings(): ClaimSettings {
    return this.#settings;
  }

  /** The store that gave the claim. */
  get store(): DedupeStore {
    return this.#settings.store;
  }

  /** How long the completion is remembered, in milliseconds. */
  get retentionMs(): number {
    return this.#settings.retentionMs;
  }

  /** Aborts when the claim is lost or the time is up. Made when first asked for: most handlers never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedWith !== undefined) this.#controller.abort(this.#abortedWith);
    }
    return this.#controller.signal;
  }

  /** Why the signal aborted: `claim_lost` or `handler_timeout`. */
  get abortedWith(): WebhookError | undefined {
    return this.#abortedWith;
  }

  /** Aborts the signal for a reason of the caller's. The claim stands, and a result still counts. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** After `"unstored"`: whether the completion was recorded in the background after all. That takes two minutes at most. */
  async recordedLate(): Promise<boolean> {
    return (await this.#recordedLate) ?? false;
  }

  /** Calls back once if `maxProcessingMs` or the deadline passes before the claim is settled. A later listener replaces an earlier one. */
  onceTimedOut(listener: () => void): void {
    this.#timeoutListener = listener;
    if (this.#timedOut) listener();
  }

  /** Ends the claim. The first call counts; later ones get its result. Never rejects. */
  settle(as: SettleAs): Promise<Settled> {
    this.#settled ??= this.#settle(as);
    return this.#settled;
  }

  /** For `completeIn`: the row that the caller's transaction has locked guards the claim from here on. */
  handOver(): void {
    this.#completion = "in_transaction";
    this.#heartbeat.stopRenewing();
  }

  /** From here on the transaction may be committed although the handler fails. */
  completionWritten(): void {
    this.#completion = "written_in_transaction";
  }

  async renew(): Promise<Lease | "lost"> {
    const { leaseMs, deadline, timedStore, log } = this.#settings;
    const lease = leaseFromNow(leaseMs, deadline);
    try {
      return (await timedStore.renew(this.key, { token: this.token, leaseMs: lease.leaseMs })) ? lease : "lost";
    } catch (error) {
      log.warn("renew_failed", "could not renew the claim; retrying while its lease lasts", error);
      throw error;
    }
  }

  onLost(message: string): void {
    this.#abort(new WebhookError("claim_lost", message));
  }

  /** A result that comes after all still counts. */
  onTimeout(): void {
    this.#abort(
      new WebhookError("handler_timeout", "the event was not processed within maxProcessingMs, or before the deadline"),
    );
    this.#timedOut = true;
    this.#settings.open.delete(this);
    this.#timeoutListener?.();
  }

  #abort(error: WebhookError): void {
    if (this.#settled !== undefined || this.#abortedWith !== undefined) return;
    this.#abortedWith = error;
    this.#controller?.abort(error);
  }

  #settle(as: SettleAs): Promise<Settled> {
    this.#heartbeat.stop();
    if (as === "processed" && this.#completion === "by_settling") return this.#complete();
    const mayBeCommitted = as === "processed" || this.#completion === "written_in_transaction";
    const settled = mayBeCommitted ? this.#learnOfTransaction(as) : this.#release();
    return settled.finally(() => this.#settings.open.delete(this));
  }

  async #complete(): Promise<Settled> {
    const { timedStore, retentionMs, log, open, waitUntil } = this.#settings;
    try {
      const result = await timedStore.complete(this.key, { token: this.token, retentionMs });
      open.delete(this);
      if (COMPLETE_RESULTS.has(result)) return result;
      log.error("settle_failed", "the store's complete answered with an unknown result; the event may run again");
    } catch (error) {
      log.error("settle_failed", "could not record the event as processed; retrying in the background", error);
      this.#recordedLate = this.#retryCompletion().finally(() => open.delete(this));
      waitUntil?.(this.#recordedLate);
    }
    return "unstored";
  }

  async #release(): Promise<Settled> {
    const { timedStore, log } = this.#settings;
    try {
      return (await timedStore.release(this.key, { token: this.token })) ? "released" : "held_by_another";
    } catch (error) {
      // The lease expires before the provider's first retry.
      log.error("settle_failed", "could not release the claim; it expires with its lease", error);
      return "unstored";
    }
  }

  /**
   * Whether the transaction with the completion was committed. A claim by the same token tells; a release that finds nothing
   * would not, since the lease may have expired by now. In doubt it counts as rolled back: the provider's retry finds out.
   */
  async #learnOfTransaction(as: SettleAs): Promise<Settled> {
    const { timedStore, leaseMs, deadline, log } = this.#settings;
    try {
      const lease = leaseFromNow(leaseMs, deadline);
      const { status } = await timedStore.claim(this.key, { token: this.token, leaseMs: lease.leaseMs });
      if (status === "completed") {
        if (as === "failed") log.error("failed_after_commit", FAILED_AFTER_COMMIT);
        return "stored";
      }
      if (status === "in_flight") return "held_by_another";
      if (as === "failed") return await this.#release();
      log.error(
        "completion_rolled_back",
        "completion_rolled_back: a handler returned, but the transaction with its completion was rolled back; let the handler throw the error",
      );
      await this.#release();
    } catch (error) {
      log.error(
        "settle_failed",
        "could not find out whether the transaction with the completion was committed; Bluum retries the event",
        error,
      );
    }
    return as === "failed" ? "unstored" : "rolled_back";
  }

  /** The work is done: a short outage of the store must not make it run again. @returns whether it is recorded */
  async #retryCompletion(): Promise<boolean> {
    const { timedStore, leaseMs, retentionMs, log } = this.#settings;
    const until = performance.now() + RETRY_COMPLETION_MS;
    // Slower each time, to spare a store that has just come back; often enough to keep the lease.
    for (
      let waitMs = Math.min(leaseMs / 10, 1_000);
      performance.now() < until;
      waitMs = Math.min(waitMs * 2, leaseMs / 3)
    ) {
      await sleep(waitMs, { unref: true });
      try {
        return (await timedStore.complete(this.key, { token: this.token, retentionMs })) !== "held_by_another";
      } catch {
        await this.renew().catch(() => "lost");
      }
    }
    log.error(
      "completion_given_up",
      "could not record the event as processed for two minutes and stopped retrying; another delivery of it would run again",
    );
    return false;
  }
}
