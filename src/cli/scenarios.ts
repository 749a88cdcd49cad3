import { KNOWN_EVENT_TYPES } from "../index.ts";
import { SCENARIOS as STORIES } from "../sandbox/scenarios.ts";

/** One event of a scenario. */
export interface Step {
  readonly type: string;
  /** Fields of its `data` that are not the sample's. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** How many copies are sent after the first delivery. */
  readonly duplicates?: number;
}

/** What happens together at a provider. */
export interface Scenario {
  readonly title: string;
  /** The events of one run; the ids of its resources are fresh at every run. */
  readonly steps: () => readonly Step[];
}

/** The sandbox's stories lie in the past by the longest of them, since here nobody waits between their events. */
const STORY_MS = 5_000;

const stories = STORIES.map(({ name, title, steps }): [string, Scenario] => {
  const told = () => steps((afterMs) => new Date(Date.now() - STORY_MS + afterMs).toISOString());
  return [name, { title, steps: told }];
});

/** The scenarios by name: the sandbox's, and two of copies and numbers. No event has such a name: those hold a full stop. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(stories),
  "duplicate-storm": {
    title: "One filled order, delivered fifty times",
    steps: () => [{ type: "order.filled", duplicates: 49 }],
  },
  "whole-catalogue": {
    title: "One of every documented event",
    steps: () => KNOWN_EVENT_TYPES.map((type) => ({ type })),
  },
};
