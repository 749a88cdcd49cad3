import type { Terminal } from "./terminal.ts";

/** Shows how far something is. */
export interface Progress {
  /** One more is done. */
  step(): void;
  /** Takes the bar away. */
  end(): void;
}

const WIDTH = 30;
/** Fewer are over before a bar could be read. */
const LEAST_STEPS = 20;
const REDRAW_MS = 100;

/** A bar on stderr, for what is long, where a terminal is; elsewhere nothing. */
export function progressBar(steps: number, { stderr }: Terminal): Progress {
  if (!stderr.isTTY || steps < LEAST_STEPS) return { step() {}, end() {} };
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
    // Back to the line's start, and all of the line deleted.
    end: () => void stderr.write("\r\u001b[K"),
  };
}
