import type { Signal } from "../signal.ts";

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
