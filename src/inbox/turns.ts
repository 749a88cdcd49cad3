/**
 * Lets runs go on side by side, except for those that must run alone. The first that comes is the first to start.
 *
 * An event that kills its process takes all runs in it along. So the last attempt of an event that has done so before runs alone: no
 * other event is parked because of it.
 */
export class Turns {
  #running = 0;
  #someoneAlone = false;
  readonly #waiting: { readonly alone: boolean; readonly start: () => void }[] = [];

  /** Starts a run: undefined if it may start at once, else a promise of its turn. Each run must `leave` in the end. */
  enter(alone: boolean): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(alone)) {
      this.#take(alone);
      return undefined;
    }
    return new Promise((start) => {
      this.#waiting.push({ alone, start });
    });
  }

  /** Ends a run that had its turn. */
  leave(): void {
    this.#running -= 1;
    this.#someoneAlone = false;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.alone);
      next.start();
    }
  }

  /** Does `work` in its turn. */
  async run<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    await this.enter(alone);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  #fits(alone: boolean): boolean {
    return alone ? this.#running === 0 : !this.#someoneAlone;
  }

  #take(alone: boolean): void {
    this.#running += 1;
    this.#someoneAlone = alone;
  }
}
