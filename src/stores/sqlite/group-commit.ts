import { WebhookError } from "../../errors.ts";

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The most items of one commit. */
const LARGEST_GROUP = 100;

/**
 * Commits together what comes in one turn of the event loop: a commit waits for the disk, and blocks the event loop meanwhile. With
 * many requests at once this accepts several times as many events.
 */
export class GroupCommit<Item, Result> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];

  /** @param commit does the work of all items in one transaction, in their order */
  constructor(commit: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#commit = commit;
  }

  /** Resolves after the commit. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let first = 0; first < waiting.length; first += LARGEST_GROUP) {
      void this.#run(waiting.slice(first, first + LARGEST_GROUP));
    }
  }

  async #run(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#commit(group.map(({ item }) => item));
      for (const [place, { resolve }] of group.entries()) resolve(results[place] as Result);
    } catch (error) {
      if (group.length === 1 || isUnavailable(error)) for (const { reject } of group) reject(error);
      // Only one of them may be at fault.
      else for (const each of group) void this.#run([each]);
    }
  }
}

/** While the database is locked or in use, none of them is at fault. */
function isUnavailable(error: unknown): boolean {
  return error instanceof WebhookError && error.code === "store_unavailable";
}
