import type { Change } from "./page-api.ts";

/** A change and its place among all. */
export interface Revised {
  readonly revision: number;
  readonly change: Change;
}

/** Told of each change as it happens. */
export type Watcher = (revised: Revised) => void;

/** So many changes can be asked for again: what a page misses while its connection is renewed. */
const REMEMBERED = 4_096;

/** What has changed, numbered without a gap, for whoever follows and for whoever comes back after a while. */
export class Changes {
  // Later than every number of an earlier run, which began earlier and counted slower than the milliseconds pass.
  #revision: number = Date.now();
  #recent: Revised[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #replayable: () => number;

  /** @param replayable counts what can be replayed, after a change */
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
    // In halves, so that forgetting costs nothing that grows with each change.
    if (this.#recent.length >= 2 * REMEMBERED) this.#recent = this.#recent.slice(-REMEMBERED);
    for (const watcher of this.#watchers) watcher(revised);
  }

  /** All changes after a revision; undefined where that is too long ago, or no revision of this run. */
  since(revision: number): readonly Revised[] | undefined {
    const missed = this.#revision - revision;
    if (!Number.isInteger(missed) || missed < 0 || missed > this.#recent.length) return undefined;
    return missed === 0 ? [] : this.#recent.slice(-missed);
  }

  /** Tells of every change from now on; gives what ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
