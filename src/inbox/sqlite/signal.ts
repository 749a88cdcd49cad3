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

/** The waiting workers of this process by their database: what adds an event wakes them, whichever inbox they belong to. */
const workers = new WeakMap<object, Set<Signal>>();

/** Lets a worker be woken. @returns what ends that */
export function onWake(database: object, signal: Signal): () => void {
  const signals = workers.get(database) ?? new Set();
  workers.set(database, signals);
  signals.add(signal);
  return () => signals.delete(signal);
}

/** Wakes the workers on a database. */
export function wakeWorkers(database: object): void {
  for (const signal of workers.get(database) ?? []) signal.notify();
}
