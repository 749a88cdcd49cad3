/** Wakes one waiting loop. A call of `notify` while nobody waits is not lost: the next wait ends at once. */
export class Signal {
  #isSet = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#isSet = true;
    this.#wake?.();
  }

  /** Waits until it is notified, at most `ms` milliseconds, and for one turn of the event loop at least: others get theirs. */
  async wait(ms: number): Promise<void> {
    if (this.#isSet) await new Promise((resolve) => setImmediate(resolve));
    else await this.#notified(ms);
    this.#isSet = false;
  }

  async #notified(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        // What ended in the same turn is then written in the same commit.
        setImmediate(resolve);
      };
    });
    this.#wake = undefined;
  }
}
