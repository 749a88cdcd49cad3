import { checks } from "../checks.ts";
import { oneOf, type Random } from "../random.ts";

/** What can be done to a delivery on purpose. */
export type Fault =
  /** A copy follows two seconds later. */
  | "duplicate"
  /** A copy is sent at the same moment. */
  | "concurrent"
  /** The delivery is held back for up to five seconds, so that others overtake it. */
  | "reorder"
  /** A forged copy, of a random kind, is sent at the same moment. */
  | "forged"
  /** The body comes in small pieces, for half a second, or a quarter of the timeout if that is less. */
  | "slow"
  /** The connection is cut before anything was sent. */
  | "cut_before"
  /** The connection is cut in the middle of the body. */
  | "cut_middle"
  /** The connection is cut after the last byte, before the answer. */
  | "cut_after"
  /** Each retry is signed again, even if the scheme signs no timestamp. */
  | "fresh_signature"
  /** The first attempt is signed ten minutes early or late; only if the scheme signs a timestamp. */
  | "clock_skew"
  /** The endpoint's secret changes once; deliveries that are signed already keep the old one. */
  | "rotate_secret";

/** The faults to apply: each of a list to every delivery, or each by its probability from 0 to 1. */
export type FaultPlan = readonly Fault[] | Readonly<Partial<Record<Fault, number>>>;

const TITLES: Readonly<Record<Fault, string>> = {
  duplicate: "a copy two seconds later",
  concurrent: "a copy at the same moment",
  reorder: "held back for up to five seconds, so that others overtake it",
  forged: "a forged copy at the same moment",
  slow: "the body in small pieces",
  cut_before: "cut before anything was sent",
  cut_middle: "cut in the middle of the body",
  cut_after: "cut after the last byte, before the answer",
  fresh_signature: "each retry signed again; without a signed timestamp, it differs only after the secret has changed",
  clock_skew: "signed ten minutes early or late; no effect without a signed timestamp",
  rotate_secret: "the endpoint's secret changes, once, after the first attempt was signed",
};

/** All faults, in the order in which they are drawn. */
export const FAULTS: readonly Fault[] = Object.freeze(Object.keys(TITLES) as Fault[]);

/** A fault in a few words. */
export function faultTitle(fault: Fault): string {
  return TITLES[fault];
}

/** A plan as probabilities, checked. */
export type FaultMix = ReadonlyMap<Fault, number>;

/**
 * Checks a plan.
 *
 * @throws WebhookError `configuration_invalid` for an unknown fault or a probability out of bounds
 */
export function faultMix(plan: FaultPlan): FaultMix {
  const entries = Array.isArray(plan) ? plan.map((fault: Fault) => [fault, 1] as const) : Object.entries(plan);
  return new Map(entries.map(([fault, probability]) => [known(fault), bounded(fault, probability)]));
}

function known(fault: string): Fault {
  if (Object.hasOwn(TITLES, fault)) return fault as Fault;
  throw checks.invalid("faults", `has an unknown fault; there are ${FAULTS.join(", ")}`);
}

function bounded(fault: string, probability: unknown): number {
  if (typeof probability === "number" && probability >= 0 && probability <= 1) return probability;
  throw checks.invalid(`faults.${fault}`, "must be a probability from 0 to 1");
}

const CONNECTION: readonly Fault[] = ["slow", "cut_before", "cut_middle", "cut_after"];

/**
 * Draws the faults of one delivery, with at most one fault of its connection. Every fault takes one number from the generator, even with
 * probability 0, so that adding a fault to a mix does not change the others.
 */
export function drawFaults(mix: FaultMix, random: Random): readonly Fault[] {
  const drawn = FAULTS.filter((fault) => random() < (mix.get(fault) ?? 0));
  const connection = drawn.filter((fault) => CONNECTION.includes(fault));
  const choice = random();
  const [first, ...others] = connection;
  if (first === undefined) return drawn;
  const chosen = oneOf(() => choice, [first, ...others]);
  return drawn.filter((fault) => fault === chosen || !CONNECTION.includes(fault));
}

/** The fault of the first attempt's connection. */
export function connectionFault(faults: readonly Fault[]): Fault | undefined {
  return faults.find((fault) => CONNECTION.includes(fault));
}
