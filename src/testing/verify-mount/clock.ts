import { finding, type MountFinding } from "../mount-findings.ts";
import type { Answer } from "./answer.ts";
import type { Mount } from "./mount.ts";
import { PING } from "./pings.ts";

const MINUTE_MS = 60_000;

/** Differences that are tried: every 10 minutes up to an hour, then every hour up to 14, as for a wrong time zone. */
const USUAL_SHIFTS_MS: readonly number[] = [
  ...[10, 20, 30, 40, 50].map((minutes) => minutes * MINUTE_MS),
  ...Array.from({ length: 14 }, (_, index) => (index + 1) * 60 * MINUTE_MS),
].flatMap((shift) => [shift, -shift]);

/** The finding about the clocks. `next` is the answer to a ping signed by the receiver's clock, if its time was found. */
export interface ClockFinding {
  readonly found: MountFinding;
  readonly next?: Answer;
}

/**
 * Finds how far the receiver's clock is from this machine's: by the answer's `Date`, or else by trying signatures of other times. Later
 * probes are signed by the receiver's clock.
 */
export async function skewedClock(answer: Answer, mount: Mount): Promise<ClockFinding> {
  const { skewMs } = answer;
  if (skewMs !== undefined && Math.abs(skewMs) > 2_000) {
    const next = await signedAt(skewMs, mount);
    if (next !== undefined) return { found: skewed(`${inWords(skewMs)} this machine's`), next };
  }
  for (const shiftMs of USUAL_SHIFTS_MS) {
    const next = await signedAt(shiftMs, mount);
    if (next === undefined) continue;
    return { found: skewed(`${inWords(shiftMs)} this machine's, give or take the scheme's tolerance`), next };
  }
  return {
    found: skewed(`further from this machine's than the tolerance, but by none of the differences that were tried`),
  };
}

async function signedAt(shiftMs: number, mount: Mount): Promise<Answer | undefined> {
  const answer = await mount.signed(PING, { shiftMs });
  if (answer.status === 0 || answer.code === "timestamp_out_of_tolerance") return undefined;
  mount.shiftMs = shiftMs;
  return answer;
}

function skewed(how: string): MountFinding {
  return finding("clock_skew", `The receiver's clock is ${how}.`);
}

/** Such as `12 min ahead of`. */
function inWords(skewMs: number): string {
  const size = Math.abs(skewMs);
  const [unit, unitMs] =
    size < 2 * MINUTE_MS ? ["s", 1_000] : size < 120 * MINUTE_MS ? ["min", MINUTE_MS] : ["h", 60 * MINUTE_MS];
  return `about ${Math.round((size / unitMs) * 10) / 10} ${unit} ${skewMs > 0 ? "ahead of" : "behind"}`;
}
