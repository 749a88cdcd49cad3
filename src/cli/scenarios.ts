import { KNOWN_EVENT_TYPES } from "../index.ts";

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
  /** @param id fresh at every run, for a resource that the steps share */
  readonly steps: (id: string) => readonly Step[];
}

/** The scenarios by name. No event has such a name: those hold a full stop. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "order-life": {
    title: "one order, accepted, filled in part, filled",
    steps: (id) => about({ id: `ord_${id}` }, ["order.accepted", "order.partially_filled", "order.filled"]),
  },
  "deposit-life": {
    title: "one deposit, initiated and completed",
    steps: (id) => about({ id: `dep_${id}` }, ["transfer.deposit.initiated", "transfer.deposit.completed"]),
  },
  "withdrawal-returned": {
    title: "one withdrawal, initiated and failed",
    steps: (id) => about({ id: `wd_${id}` }, ["transfer.withdrawal.initiated", "transfer.withdrawal.failed"]),
  },
  "duplicate-storm": {
    title: "one filled order, delivered fifty times",
    steps: () => [{ type: "order.filled", duplicates: 49 }],
  },
  "whole-catalogue": {
    title: "one of every documented event",
    steps: () => KNOWN_EVENT_TYPES.map((type) => ({ type })),
  },
};

function about(data: { readonly id: string }, types: readonly string[]): Step[] {
  return types.map((type) => ({ type, data }));
}
