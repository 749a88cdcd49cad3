// How long a single event holds the event loop up, with and without the garbage collections that fell into it.
import { PerformanceObserver } from "node:perf_hooks";

/** Shorter ones are not looked at. */
const NOTABLE_MS = 0.5;

/** @returns the longest time of one `put`, in milliseconds: `longest` as it passed, `own` without garbage collection */
export async function longestPause(put, items) {
  const collections = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  const pauses = [];
  for (const item of items) {
    const from = performance.now();
    await put(item);
    const to = performance.now();
    if (to - from > NOTABLE_MS) pauses.push({ from, to });
  }
  // The observer hears of collections a turn of the event loop later.
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.disconnect();
  return {
    longest: Math.max(0, ...pauses.map(({ from, to }) => to - from)),
    own: Math.max(0, ...pauses.map((pause) => pause.to - pause.from - collectedIn(pause, collections))),
  };
}

function collectedIn({ from, to }, collections) {
  return collections.reduce((sum, { startTime, duration }) => {
    const overlap = Math.min(to, startTime + duration) - Math.max(from, startTime);
    return sum + Math.max(0, overlap);
  }, 0);
}
