import type { JSX } from "preact";
import { durationWords, timeWords } from "../../../page/model/words.ts";
import { sandboxNow, speed, tick } from "../model/clock.ts";

/** The time left until a time of the sandbox's clock, such as `in 4 min 12 s`. */
export function Countdown({ to }: { readonly to: number }): JSX.Element {
  tick.value;
  const left = to - sandboxNow();
  return <span class="countdown">{left <= 0 ? "now" : `in ${durationWords(left)}`}</span>;
}

/** The same in real time; nothing if both clocks run at the same speed. */
export function WallCountdown({ to }: { readonly to: number }): JSX.Element | null {
  tick.value;
  if (speed.value === 1) return null;
  if (speed.value === 0) return <span class="muted">The sandbox's clock is stopped.</span>;
  const left = (to - sandboxNow()) / speed.value;
  return <span class="countdown muted">{left <= 0 ? "" : `${durationWords(left)} on your clock`}</span>;
}

/** The current time of the sandbox's clock. */
export function SandboxClock(): JSX.Element {
  tick.value;
  return (
    <time class="clock" title="The sandbox's clock">
      {timeWords(sandboxNow())}
      {speed.value !== 1 && <span class="speed"> ×{speed.value}</span>}
    </time>
  );
}
