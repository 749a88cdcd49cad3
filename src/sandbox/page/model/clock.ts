import { signal } from "@preact/signals";

let reading = { now: Date.now(), at: performance.now(), speed: 1 };

/** How many times faster than real time the sandbox's clock runs. */
export const speed = signal(1);

/** Sets the page's copy of the sandbox's clock. */
export function setClock(now: number, newSpeed: number = reading.speed): void {
  reading = { now, at: performance.now(), speed: newSpeed };
  speed.value = newSpeed;
}

/** The time by the sandbox's clock, epoch milliseconds. */
export function sandboxNow(): number {
  return reading.now + (performance.now() - reading.at) * reading.speed;
}

const TICK_MS = 250;
let timer: ReturnType<typeof setInterval> | undefined;

/** Changes four times a second while something on the page shows the time. */
export const tick = signal(0, {
  watched: () => {
    timer = setInterval(() => {
      if (!document.hidden) tick.value += 1;
    }, TICK_MS);
  },
  unwatched: () => clearInterval(timer),
});
