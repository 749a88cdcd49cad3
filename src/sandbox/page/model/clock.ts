import { signal } from "@preact/signals";

let reading = { now: Date.now(), at: performance.now(), speed: 1 };

/** How many times as fast as the wall the sandbox's clock runs. */
export const speed = signal(1);

/** Sets the page's copy of the sandbox's clock by a reading that has just come. */
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

/** Changes four times a second, as long as something on the page counts time. */
export const tick = signal(0, {
  watched: () => {
    timer = setInterval(() => {
      if (!document.hidden) tick.value += 1;
    }, TICK_MS);
  },
  unwatched: () => clearInterval(timer),
});
