import type { Change } from "./page-api.ts";

/** A change and its number. */
export interface Revised {
  readonly revision: number;
  readonly change: Change;
}

/** Called with each change as it happens. */
export type Watcher = (revised: Revised) => void;

/** How many changes are remembered for pages that reconnect. */
const REMEMBERED = 4_096;

/** The changes, numbered without a gap, for watchers and for pages that reconnect. */
export class Changes {
  // Higher than every number of an earlier run: there are fewer changes than milliseconds.
  #revision: number = Date.now();
  #recent: Revised[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #replayable: () => number;

  /** @param replayable returns how many deliveries can be replayed; it is added to each change */
  constructor(replayable: () => number) {
    this.#replayable = replayable;
  }

  /** The number of the last change. */
  get revision(): number {
    return this.#revision;
  }

  publish(change: Change): void {
    this.#revision += 1;
    const revised = { revision: this.#revision, change: { ...change, replayable: this.#replayable() } };
    this.#recent.push(revised);
    // Not at each change: copying the list costs too much.
    if (this.#recent.length >= 2 * REMEMBERED) this.#recent = this.#recent.slice(-REMEMBERED);
    for (const watcher of this.#watchers) watcher(revised);
  }

  /** All changes after a revision; undefined if it is too old or not of this run. */
  since(revision: number): readonly Revised[] | undefined {
    const missed = this.#revision - revision;
    if (!Number.isInteger(missed) || missed < 0 || missed > this.#recent.length) return undefined;
    return missed === 0 ? [] : this.#recent.slice(-missed);
  }

  /** Calls the watcher with every change from now on. @returns a function that stops it */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
