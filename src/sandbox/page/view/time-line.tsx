import type { JSX } from "preact";
import type { AttemptSummary, DeliverySummary } from "../../page-api.ts";
import { type Ending, endingOf } from "../model/words.ts";

const LONGEST_MS = 11 * 3_600_000;
const NEAR_MS = 30_000;

/** Where the documented attempts fall: at once, then 1 min, 5 min, 30 min, 2 h and 8 h after the one before. */
const AXIS: readonly (readonly [number, string])[] = [
  [0, "0"],
  [60_000, "1 min"],
  [360_000, "6 min"],
  [2_160_000, "36 min"],
  [9_360_000, "2½ h"],
  [38_160_000, "10½ h"],
];

/** A share of the line's width. The scale is logarithmic, so that the documented attempts are evenly spaced. */
function shareOf(afterMs: number): string {
  const share = Math.log1p(Math.max(0, afterMs) / NEAR_MS) / Math.log1p(LONGEST_MS / NEAR_MS);
  return `${(Math.min(1, share) * 100).toFixed(1)}%`;
}

/** The attempts of one delivery since its creation. All rows have the same scale. */
export function TimeLine({ delivery }: { readonly delivery: DeliverySummary }): JSX.Element {
  const { createdAt, attempts, nextAttemptAt } = delivery;
  const last = Math.max(createdAt, ...attempts.map(({ at }) => at));
  return (
    <svg class="time-line" height="14" aria-hidden="true">
      <line x1="0" x2={shareOf(last - createdAt)} y1="7" y2="7" class="past" />
      {nextAttemptAt !== null && (
        <line x1={shareOf(last - createdAt)} x2={shareOf(nextAttemptAt - createdAt)} y1="7" y2="7" class="ahead" />
      )}
      {attempts.map((attempt) => (
        <AttemptMark key={attempt.at} at={shareOf(attempt.at - createdAt)} attempt={attempt} />
      ))}
      {nextAttemptAt !== null && <circle cx={shareOf(nextAttemptAt - createdAt)} cy="7" r="3.5" class="mark next" />}
    </svg>
  );
}

function AttemptMark({ at, attempt }: { readonly at: string; readonly attempt: AttemptSummary }): JSX.Element {
  return (
    <svg x={at} y="7" class="mark-at" aria-hidden="true">
      {MARKS[endingOf(attempt)]}
    </svg>
  );
}

const MARKS: Readonly<Record<Ending, JSX.Element>> = {
  accepted: <circle r="4" class="mark accepted" />,
  failed: <path d="M-3-3 3 3M3-3-3 3" class="mark failed" />,
  open: <circle r="3.5" class="mark open" />,
};

/** The labels of the time lines' scale. */
export function TimeAxis(): JSX.Element {
  return (
    <span class="time-axis">
      {AXIS.map(([ms, label]) => (
        <span key={label} style={{ left: shareOf(ms) }}>
          {label}
        </span>
      ))}
    </span>
  );
}
