import type { SignatureScheme } from "../../schemes/scheme.ts";
import type { DeliveryOrigin } from "../page-api.ts";
import { oneOf, type Random } from "../random.ts";
import { type ForgeryKind, forgeriesOf } from "../signing/forgeries.ts";
import { drawFaults, type Fault, type FaultMix } from "./faults.ts";

/** How long after its original a duplicate is sent. */
const DUPLICATE_AFTER_MS = 2_000;
/** How long an event is held back at most. */
const HELD_BACK_MS = 5_000;

/** A delivery to be made, and when it is due. */
export interface PlannedDelivery {
  readonly origin: DeliveryOrigin;
  readonly forgery: ForgeryKind | null;
  readonly faults: readonly Fault[];
  readonly dueAt: number;
}

/** What an event is planned with. */
export interface PlanContext {
  readonly mix: FaultMix;
  readonly random: Random;
  readonly scheme: SignatureScheme;
  /** When the event happens, by the sandbox's clock. */
  readonly dueAt: number;
}

/** The deliveries of one event to one endpoint: the original first, then the copies that its faults add. */
export function planDeliveries({ mix, random, scheme, dueAt }: PlanContext): [PlannedDelivery, ...PlannedDelivery[]] {
  const faults = drawFaults(mix, random);
  const at = dueAt + (faults.includes("reorder") ? Math.floor(random() * HELD_BACK_MS) : 0);
  const copies: PlannedDelivery[] = [];
  const duplicate = { origin: "duplicate", forgery: null, faults: [] } as const;
  if (faults.includes("concurrent")) copies.push({ ...duplicate, dueAt: at });
  if (faults.includes("duplicate")) copies.push({ ...duplicate, dueAt: at + DUPLICATE_AFTER_MS });
  if (faults.includes("forged")) {
    const [first, ...others] = forgeriesOf(scheme).map(({ kind }) => kind);
    const forgery = first && oneOf(random, [first, ...others]);
    if (forgery) copies.push({ origin: "forged", forgery, faults: [], dueAt: at });
  }
  return [{ origin: "event", forgery: null, faults, dueAt: at }, ...copies];
}
