import { randomBytes } from "node:crypto";
import type { ClaimResult, CompleteResult, DedupeStore } from "../../stores/store.ts";
import { same } from "../same.ts";

/** A store, created for one case of the contract suite, and what the suite needs to drive it. */
export interface StoreUnderTest {
  /** The store. Its backend may be shared and need not be empty: every case uses keys of its own. */
  readonly store: DedupeStore;
  /**
   * A second store on the same backend with its own connection, as another process would have. Half of all contenders use it,
   * which finds stores that are atomic within one process only.
   */
  readonly peer?: DedupeStore;
  /** Moves the store's clock forward, in milliseconds. Without it the suite waits in real time. */
  readonly advance?: (ms: number) => void | Promise<void>;
  /** Frees what was created for this case. Called once, after success and after failure. */
  readonly dispose?: () => void | Promise<void>;
}

/** One thing that a store must do. It rejects if the store does not. */
export type Statement = (trial: Trial) => Promise<void>;

/** Statements by name. */
export type Statements = Readonly<Record<string, Statement>>;

/** A lease or retention that outlasts every case. */
export const LONG_MS: number = 10 * 60_000;
/** A lease or retention whose expiry a case waits for. */
export const SHORT_MS = 150;
/** Added to each wait: clocks are coarse, and timers may fire a little early. */
const MARGIN_MS = 100;
/** How long a store with a lagging clock may take to notice an expiry. */
const PATIENCE_MS = 10_000;
const POLL_EVERY_MS = 25;

/** One attempt at an event: a key and a token. The default lease and retention are long. */
export interface Contender {
  readonly key: string;
  claim(leaseMs?: number): Promise<ClaimResult>;
  renew(leaseMs?: number): Promise<boolean>;
  complete(retentionMs?: number): Promise<CompleteResult>;
  release(): Promise<boolean>;
}

/** The tools of a case: contenders for events, and time. */
export interface Trial {
  readonly store: DedupeStore;
  /** Leases to try one after the other when a step must fall within the lease: a loaded machine may be too slow for the first. */
  readonly terms: readonly number[];
  /** An unused key. */
  key(): string;
  /** A contender with its own token. */
  contender(key: string): Contender;
  /** Three contenders for one event. */
  rivals(key?: string): readonly [Contender, Contender, Contender];
  /** Many contenders for one event. */
  crowd(size: number, key?: string): Contender[];
  /** Lets time pass, so that a lease or retention of `ms` has expired. */
  elapse(ms: number): Promise<void>;
  /** Lets a contender claim the event, and the claim expire. */
  expire(contender: Contender): Promise<void>;
  /** Tries until `done`, for as long as a lagging clock may be the cause of failure; returns the last result. */
  until<Result>(attempt: () => Promise<Result>, done: (result: Result) => boolean): Promise<Result>;
}

/** Sets up a trial of one store. */
export function openTrial({ store, peer = store, advance }: StoreUnderTest): Trial {
  let contenders = 0;
  const trial: Trial = {
    store,
    // A clock that the suite moves does not run by itself.
    terms: advance ? [SHORT_MS] : [2 * SHORT_MS, 20 * SHORT_MS, 100 * SHORT_MS],
    key: () => `contract/${randomBytes(12).toString("hex")}`,
    contender: (key) => contender(contenders++ % 2 === 0 ? store : peer, key),
    rivals: (key = trial.key()) => [trial.contender(key), trial.contender(key), trial.contender(key)],
    crowd: (size, key = trial.key()) => Array.from({ length: size }, () => trial.contender(key)),
    elapse: async (ms) => (advance ? advance(ms + 1) : sleep(ms + MARGIN_MS)),
    async expire(holder) {
      same("the claim that is to expire", (await holder.claim(SHORT_MS)).status, "claimed");
      await trial.elapse(SHORT_MS);
    },
    async until(attempt, done) {
      const deadline = performance.now() + (advance ? 0 : PATIENCE_MS);
      for (;;) {
        const result = await attempt();
        if (done(result) || performance.now() >= deadline) return result;
        await sleep(POLL_EVERY_MS);
      }
    },
  };
  return trial;
}

function contender(store: DedupeStore, key: string): Contender {
  const token = randomBytes(16).toString("hex");
  return {
    key,
    claim: (leaseMs = LONG_MS) => store.claim(key, { token, leaseMs }),
    renew: (leaseMs = LONG_MS) => store.renew(key, { token, leaseMs }),
    complete: (retentionMs = LONG_MS) => store.complete(key, { token, retentionMs }),
    release: () => store.release(key, { token }),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
