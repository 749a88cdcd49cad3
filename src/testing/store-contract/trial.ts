import { randomBytes } from "node:crypto";
import type { ClaimResult, CompleteResult, DedupeStore } from "../../stores/store.ts";
import { same } from "./same.ts";

/** A store, made for one case of the contract suite, and what the suite needs to drive it. */
export interface StoreUnderTest {
  /** The store. Its backend may be shared and need not be empty: every case uses keys of its own. */
  readonly store: DedupeStore;
  /**
   * A second store on the same backend, with a connection of its own, as another process would have. Half of all contenders
   * then work through it, which finds stores that are atomic within one process only.
   */
  readonly peer?: DedupeStore;
  /** Moves the store's clock forward, in milliseconds, where the store has one that can be moved. Without it the suite waits. */
  readonly advance?: (ms: number) => void | Promise<void>;
  /** Frees what was made for this case. Called once, after success and after failure. */
  readonly dispose?: () => void | Promise<void>;
}

/** What a store must do, shown by a trial: it rejects where the store does not. */
export type Statement = (trial: Trial) => Promise<void>;

/** Statements by their names. */
export type Statements = Readonly<Record<string, Statement>>;

/** A term that outlasts every case, on any machine. */
export const LONG_MS: number = 10 * 60_000;
/** A term that a case waits for. */
export const SHORT_MS = 150;
/** Waited beyond a term: clocks are coarse, and timers may fire a little early. */
const MARGIN_MS = 100;
/** How long a store whose clock lags behind ours may take to notice that a term is over. */
const PATIENCE_MS = 10_000;
const POLL_EVERY_MS = 25;

/** One attempt at an event: a key and a token. Terms are long unless told otherwise. */
export interface Contender {
  readonly key: string;
  claim(leaseMs?: number): Promise<ClaimResult>;
  renew(leaseMs?: number): Promise<boolean>;
  complete(retentionMs?: number): Promise<CompleteResult>;
  release(): Promise<boolean>;
}

/** What a case works with: contenders for events, and time. */
export interface Trial {
  readonly store: DedupeStore;
  /** Lease terms to try in turn where a step must fall within the term: a loaded machine may be too slow for the first. */
  readonly terms: readonly number[];
  /** A key that nobody has used. */
  key(): string;
  /** A contender with a token of its own. */
  contender(key: string): Contender;
  /** Three contenders for one event. */
  rivals(key?: string): readonly [Contender, Contender, Contender];
  /** Many contenders for one event. */
  crowd(size: number, key?: string): Contender[];
  /** Lets a term pass: nothing that stood for `ms` stands afterwards. */
  elapse(ms: number): Promise<void>;
  /** Lets a contender claim the event and lose it by standing still. */
  lapse(contender: Contender): Promise<void>;
  /** Tries until `done`, for as long as a lagging clock may be the reason why not; gives the last result. */
  until<Result>(attempt: () => Promise<Result>, done: (result: Result) => boolean): Promise<Result>;
}

/** Sets up a trial of one store. */
export function openTrial({ store, peer = store, advance }: StoreUnderTest): Trial {
  let contenders = 0;
  const trial: Trial = {
    store,
    // A clock that the suite moves stands still in between.
    terms: advance ? [SHORT_MS] : [2 * SHORT_MS, 20 * SHORT_MS, 100 * SHORT_MS],
    key: () => `contract/${randomBytes(12).toString("hex")}`,
    contender: (key) => contender(contenders++ % 2 === 0 ? store : peer, key),
    rivals: (key = trial.key()) => [trial.contender(key), trial.contender(key), trial.contender(key)],
    crowd: (size, key = trial.key()) => Array.from({ length: size }, () => trial.contender(key)),
    elapse: async (ms) => (advance ? advance(ms + 1) : sleep(ms + MARGIN_MS)),
    async lapse(holder) {
      same("the claim that is to lapse", (await holder.claim(SHORT_MS)).status, "claimed");
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
