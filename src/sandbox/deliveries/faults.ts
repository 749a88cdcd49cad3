import { checks } from "../checks.ts";
import { oneOf, type Random } from "../random.ts";

/** What can be done to a delivery on purpose. */
export type Fault =
  /** A copy follows two seconds later. */
  | "duplicate"
  /** A copy is sent at the same moment. */
  | "concurrent"
  /** The delivery waits for up to five seconds, so that others overtake it. */
  | "reorder"
  /** A forged copy, of a kind chosen by chance, is sent at the same moment. */
  | "forged"
  /** The body comes in small pieces, for half a second, or a quarter of the time-out where that is less. */
  | "slow"
  /** The connection is cut before anything was sent. */
  | "cut_before"
  /** The connection is cut in the middle of the body. */
  | "cut_middle"
  /** The connection is cut after the last byte, before the answer. */
  | "cut_after"
  /** Each retry is signed anew, also where the scheme signs no timestamp. */
  | "fresh_signature"
  /** The first attempt is signed ten minutes early or late; only where the scheme signs a timestamp. */
  | "clock_skew"
  /** The endpoint's secret changes, once; what is on its way keeps the old one. */
  | "rotate_secret";

/** Which faults to do: each of a list to every delivery, or each by its probability, from 0 to 1. */
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
  fresh_signature: "each retry signed anew; where no time is signed, that shows only once the secret has changed",
  clock_skew: "signed ten minutes early or late; nothing where no time is signed",
  rotate_secret: "the endpoint's secret changes, once, after the first attempt was signed",
};

/** All faults, in the order in which they are drawn. */
export const FAULTS: readonly Fault[] = Object.freeze(Object.keys(TITLES) as Fault[]);

/** What a fault is, in a few words. */
export function faultTitle(fault: Fault): string {
  return TITLES[fault];
}

/** A plan as probabilities, checked. */
export type FaultMix = ReadonlyMap<Fault, number>;

/**
 * Checks a plan.
 *
 * @throws WebhookError `configuration_invalid` for a name that is no fault or a probability out of bounds
 */
export function faultMix(plan: FaultPlan): FaultMix {
  const entries = Array.isArray(plan) ? plan.map((fault: Fault) => [fault, 1] as const) : Object.entries(plan);
  return new Map(entries.map(([fault, probability]) => [known(fault), bounded(fault, probability)]));
}

function known(fault: string): Fault {
  if (Object.hasOwn(TITLES, fault)) return fault as Fault;
  throw checks.invalid("faults", `names what is no fault; there are ${FAULTS.join(", ")}`);
}

function bounded(fault: string, probability: unknown): number {
  if (typeof probability === "number" && probability >= 0 && probability <= 1) return probability;
  throw checks.invalid(`faults.${fault}`, "must be a probability from 0 to 1");
}

const CONNECTION: readonly Fault[] = ["slow", "cut_before", "cut_middle", "cut_after"];

/**
 * Draws what befalls one delivery. Of what is done to its connection, one at the most. Every fault takes a number from the
 * generator, whatever its probability, so that one more fault does not change where the others strike.
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

/** The one that is done to the connection of the first attempt. */
export function connectionFault(faults: readonly Fault[]): Fault | undefined {
  return faults.find((fault) => CONNECTION.includes(fault));
}
