/** What is there at once, or will be. Whoever gets it at once need not wait, which would cost a turn of the microtask queue. */
export type Eventual<T> = T | Promise<T>;

/**
 * Whether something has to be waited for. Not by `instanceof`: where a program put another class in the place of `Promise`, as
 * zone.js does, the promises of async functions are no instances of it.
 */
export function isPending<T>(value: Eventual<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** For a value that should be no promise. If it is one, nobody waits for it, and its rejection would end the process. */
export function ignoreRejection(value: unknown): void {
  // Mostly it is none, on ways that events take.
  if (Object(value) === value) Promise.resolve(value).catch(() => {});
}

/**
 * Waits for a promise, but not for ever: rejects when it takes longer than `ms`. The promise goes on by itself; a later
 * rejection of it is swallowed.
 *
 * @param onTimeout called where it took longer, for whoever minds what still comes
 */
export function within<T>(promise: Promise<T>, ms: number, onTimeout?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms} ms`));
      onTimeout?.();
    }, ms);
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

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits, without keeping the process alive. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => unref(setTimeout(resolve, ms)));
}

/** Takes a timer off the list of things that keep a process alive, where the runtime knows such a list. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
