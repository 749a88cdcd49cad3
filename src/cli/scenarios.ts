import { KNOWN_EVENT_TYPES } from "../index.ts";
import { SCENARIOS as SANDBOX_SCENARIOS } from "../sandbox/scenarios.ts";

/** One event of a scenario. */
export interface Step {
  readonly type: string;
  /** Fields of `data` that replace those of the sample. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** The number of copies after the first delivery. @default 0 */
  readonly duplicates?: number;
}

/** Events that belong together. */
export interface Scenario {
  readonly title: string;
  /** The events of one run, with new resource ids for each run. */
  readonly steps: () => readonly Step[];
}

/** The longest of the sandbox's scenarios. Their events are sent without pauses here, so they start this long ago. */
const LONGEST_MS = 5_000;

const sandboxScenarios = SANDBOX_SCENARIOS.map(({ name, title, steps }): [string, Scenario] => {
  const timedSteps = () => steps((afterMs) => new Date(Date.now() - LONGEST_MS + afterMs).toISOString());
  return [name, { title, steps: timedSteps }];
});

/** The scenarios by name: the sandbox's and two more. A name without a dot is never an event. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(sandboxScenarios),
  "duplicate-storm": {
    title: "One filled order, delivered fifty times",
    steps: () => [{ type: "order.filled", duplicates: 49 }],
  },
  "whole-catalogue": {
    title: "One of every documented event",
    steps: () => KNOWN_EVENT_TYPES.map((type) => ({ type })),
  },
};
