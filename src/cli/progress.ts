import type { Terminal } from "./terminal.ts";

/** Shows the progress of many steps. */
export interface Progress {
  /** Counts one more step. */
  step(): void;
  /** Removes the bar. */
  end(): void;
}

const WIDTH = 30;
/** Fewer steps are too fast for a bar. */
const MIN_STEPS = 20;
const REDRAW_MS = 100;

/** A progress bar on stderr; without a terminal, or with few steps, nothing. */
export function progressBar(steps: number, { stderr }: Terminal): Progress {
  if (!stderr.isTTY || steps < MIN_STEPS) return { step() {}, end() {} };
  let done = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    step() {
      done += 1;
      if (performance.now() - drawn < REDRAW_MS && done < steps) return;
      drawn = performance.now();
      const filled = Math.min(WIDTH, Math.round((done / steps) * WIDTH));
      stderr.write(`\r[${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${done} of ${steps}`);
    },
    // Returns to the start of the line and erases the line.
    end: () => void stderr.write("\r\u001b[K"),
  };
}
