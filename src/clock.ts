/**
 * A clock that never steps, in milliseconds. It finds `performance` once: as a global name it is looked up at each use, which
 * costs as much as to read it.
 */
export function monotonicClock(): () => number {
  const { performance } = globalThis;
  return () => performance.now();
}
