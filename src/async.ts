/** A value, or a promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Whether a value is a promise. It looks for `then`, since `instanceof` fails where zone.js has replaced the global `Promise`: the
 * promises of async functions are not instances of the replacement.
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** For a value that should not be a promise. If it is one, nothing awaits it, and its rejection would end the process. */
export function ignoreRejection(value: unknown): void {
  if (Object(value) === value) Promise.resolve(value).catch(() => {});
}

/** Settles as the promise does, or rejects once `ms` milliseconds have passed. Later, the promise's own rejection is ignored. */
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
 * Waits `ms` milliseconds.
 *
 * @param options.unref whether the process may end before that. @default false
 */
export function sleep(ms: number, options: { readonly unref?: boolean } = {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (options.unref) unref(timer);
  });
}

/** Lets the process end although a timer is set, in runtimes whose timers keep it alive. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
