import { randomUUID } from "node:crypto";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { sampleEvent } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { SCENARIOS, type Step } from "../scenarios.ts";
import type { EventToSign, ForgeryKind } from "./forgeries.ts";

/** An event to deliver, once or in several copies with the same body. */
export interface PlannedEvent extends EventToSign {
  readonly type: string;
  /** The number of deliveries. */
  readonly deliveries: number;
  /** The way in which it is forged; undefined for a genuine event. */
  readonly forgery?: ForgeryKind;
}

/** The deliveries to make of each step. */
export interface PlanOptions {
  /** The number of runs. */
  readonly times: number;
  /** The number of additional copies of each event. */
  readonly duplicates: number;
  /** Fields of `data` for every event. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The ways in which each event is forged; empty for genuine events. */
  readonly forgeries: readonly ForgeryKind[];
}

/**
 * The steps of a scenario, or a single step for an event name. The returned function makes fresh steps for each run.
 *
 * @throws CommandFailed `usage` if the name is neither
 */
export function stepsOf(name: string): () => readonly Step[] {
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (scenario !== undefined) return scenario.steps;
  // Bluum may add events, so names outside the catalogue are valid.
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+){1,3}$/i.test(name) && name.length <= 100) return () => [{ type: name }];
  throw new CommandFailed(
    `${JSON.stringify(name)} is neither an event, such as order.filled, nor a scenario; the scenarios are ${Object.keys(SCENARIOS).join(", ")}.`,
    EXIT.usage,
  );
}

/** Whether a name is an event outside the catalogue: it may be misspelt. */
export function isUnknownEvent(name: string): boolean {
  return name.includes(".") && !(KNOWN_EVENT_TYPES as readonly string[]).includes(name);
}

/** The events of all runs in order. Each is made when it is requested. */
export function* plan(steps: () => readonly Step[], options: PlanOptions): Generator<PlannedEvent> {
  const forgeries = options.forgeries.length > 0 ? options.forgeries : [undefined];
  for (let run = 0; run < options.times; run++) {
    for (const step of steps()) for (const forgery of forgeries) yield planEvent(step, options, forgery);
  }
}

/** The number of deliveries in a plan. */
export function countDeliveries(steps: () => readonly Step[], options: PlanOptions): number {
  const perRun = steps().reduce((sum, step) => sum + copiesOf(step, options), 0);
  return perRun * options.times * Math.max(1, options.forgeries.length);
}

function planEvent(step: Step, options: PlanOptions, forgery: ForgeryKind | undefined): PlannedEvent {
  const data = { ...step.data, ...options.data };
  const timestamp = forgery === "old-event" ? { timestamp: LONG_AGO } : {};
  return {
    type: step.type,
    body: JSON.stringify(sampleEvent(step.type, { data, ...timestamp })),
    messageId: `msg_${randomUUID()}`,
    deliveries: copiesOf(step, options),
    ...(forgery === undefined ? {} : { forgery }),
  };
}

function copiesOf({ duplicates = 0 }: Step, options: PlanOptions): number {
  return 1 + duplicates + options.duplicates;
}

/** Older than the longest retention of a receiver. */
const LONG_AGO = "2010-01-01T00:00:00Z";
