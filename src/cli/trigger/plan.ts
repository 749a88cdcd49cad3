import { randomUUID } from "node:crypto";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { sampleEvent } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { SCENARIOS, type Step } from "../scenarios.ts";
import type { ForgeKind } from "./forgeries.ts";

/** One event that will be delivered, once or in copies. */
export interface PlannedEvent {
  readonly type: string;
  /** The exact body; copies have the same. */
  readonly body: string;
  readonly messageId: string;
  /** How many deliveries there are of it. */
  readonly deliveries: number;
  /** How it is forged; a genuine one is not. */
  readonly forgery?: ForgeKind;
}

/** What to deliver. */
export interface PlanOptions {
  readonly times: number;
  readonly duplicates: number;
  /** Fields of `data` for every event. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Each event is forged in each of these ways; where there are none, it is genuine. */
  readonly forgeries: readonly ForgeKind[];
}

/**
 * The steps that a name stands for: a scenario's, or one event.
 *
 * @throws CommandFailed `usage` for what is neither
 */
export function stepsOf(name: string): () => readonly Step[] {
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (scenario !== undefined) return scenario.steps;
  // Names outside the catalogue are normal.
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+){1,3}$/i.test(name) && name.length <= 100) return () => [{ type: name }];
  throw new CommandFailed(
    `${JSON.stringify(name)} is no event, such as order.filled, and no scenario; there are ${Object.keys(SCENARIOS).join(", ")}.`,
    EXIT.usage,
  );
}

/** Whether a name is an event outside the catalogue: a misspelt one looks just so. */
export function isUnknownEvent(name: string): boolean {
  return name.includes(".") && !(KNOWN_EVENT_TYPES as readonly string[]).includes(name);
}

/** The events of all runs, one after the other; each is made when it is its turn. */
export function* plan(steps: () => readonly Step[], options: PlanOptions): Generator<PlannedEvent> {
  const forgeries = options.forgeries.length > 0 ? options.forgeries : [undefined];
  for (let run = 0; run < options.times; run++) {
    for (const step of steps()) for (const forgery of forgeries) yield planned(step, options, forgery);
  }
}

/** How many deliveries a plan comes to. */
export function deliveriesOf(steps: () => readonly Step[], options: PlanOptions): number {
  const once = steps().reduce((sum, step) => sum + copiesOf(step, options), 0);
  return once * options.times * Math.max(1, options.forgeries.length);
}

function planned(step: Step, options: PlanOptions, forgery: ForgeKind | undefined): PlannedEvent {
  const data = { ...step.data, ...options.data };
  return {
    type: step.type,
    body: JSON.stringify(sampleEvent(step.type, { data, ...(forgery === "old-event" ? { timestamp: LONG_AGO } : {}) })),
    messageId: `msg_${randomUUID()}`,
    deliveries: copiesOf(step, options),
    ...(forgery === undefined ? {} : { forgery }),
  };
}

function copiesOf({ duplicates = 0 }: Step, options: PlanOptions): number {
  return 1 + duplicates + options.duplicates;
}

/** Older than any retention that a receiver may have. */
const LONG_AGO = "2010-01-01T00:00:00Z";
