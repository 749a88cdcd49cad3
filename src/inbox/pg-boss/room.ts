/**
 * Where attempts run: many at once, or one alone. An event that kills its process takes all attempts in it along. So the last attempt
 * of an event whose earlier one ended with its process runs alone: no other event is parked because of it.
 */
export class Room {
  #inside = 0;
  #isAlone = false;
  readonly #waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /** Runs `work` in its turn, in the order of the calls. */
  async run<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ alone, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#isAlone = false;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && !this.#isAlone; next = this.#waiting[0]) {
      if (next.alone && this.#inside > 0) return;
      this.#waiting.shift();
      this.#inside += 1;
      this.#isAlone = next.alone;
      next.enter();
    }
  }
}
