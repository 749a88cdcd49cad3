/**
 * Waits for a promise, but not for ever: rejects with what `late` makes when it takes longer than `ms`. The promise goes
 * on by itself; a later rejection of it is swallowed.
 */
export function within<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Waits, without keeping the process alive. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => unref(setTimeout(resolve, ms)));
}

/** Takes a timer off the list of things that keep a process alive, where the runtime knows such a list. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
