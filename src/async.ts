/** A value, or a promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Whether a value is a promise. Not by `instanceof`: zone.js puts another class in the place of `Promise`, and the promises of
 * async functions are no instances of it.
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** For a value that should not be a promise. If it is one, nobody awaits it, and its rejection would end the process. */
export function ignoreRejection(value: unknown): void {
  if (Object(value) === value) Promise.resolve(value).catch(() => {});
}

/** Rejects if a promise takes longer than `ms`. The promise goes on by itself; a later rejection of it is ignored. */
export function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    const settle =
      <Value>(done: (value: Value) => void) =>
      (value: Value) => {
        clearTimeout(timer);
        done(value);
      };
    promise.then(settle(resolve), settle(reject));
  });
}

/**
 * Waits.
 *
 * @param options.unref true where the process may end meanwhile. @default false
 */
export function sleep(ms: number, options: { readonly unref?: boolean } = {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (options.unref) unref(timer);
  });
}

/** Lets the process end while a timer is set, where the runtime has timers that keep it alive. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
