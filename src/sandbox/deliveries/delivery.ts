import type { Buffer } from "node:buffer";
import type { DeliveryOrigin, DeliveryState } from "../page-api.ts";
import type { ForgeryKind } from "../signing/forgeries.ts";
import type { Signed } from "../signing/signed.ts";
import type { Fault } from "./faults.ts";

/** One event on its way to one endpoint. */
export interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly eventId: string;
  readonly endpointId: string;
  readonly origin: DeliveryOrigin;
  readonly createdAt: number;
  /** The exact bytes of every attempt. */
  readonly body: Buffer;
  /** Its faults. */
  readonly faults: readonly Fault[];
  /** How it is forged; null for a genuine delivery. */
  readonly forgery: ForgeryKind | null;
  state: DeliveryState;
  updatedAt: number;
  nextAttemptAt: number | null;
  /** The signature of the first attempt; retries send it again if the scheme signs no timestamp. */
  signed: Signed | null;
  /** Whether it was replayed. */
  replayed: boolean;
  readonly attempts: Attempt[];
}

/** One request and its outcome. */
export interface Attempt {
  /** By the sandbox's clock. */
  readonly at: number;
  readonly fault: string | null;
  readonly signed: Signed;
  /** The bytes that were sent; null if they are the delivery's. */
  readonly body: Buffer | null;
  headers: readonly (readonly [string, string])[];
  latencyMs: number | null;
  status: number | null;
  error: string | null;
  answer: Answer | null;
}

/** The answer of an endpoint, as far as it is kept. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The beginning of the body. */
  readonly body: Buffer;
  /** The length of the whole body, as far as it was read. */
  readonly bytes: number;
}

/** Whether it is delivered or parked. */
export function isFinished({ state }: Delivery): boolean {
  return state === "delivered" || state === "parked";
}

/** Whether Bluum itself would send and retry it: it is neither a copy nor forged. */
export function isGenuine({ origin }: Delivery): boolean {
  return origin === "event" || origin === "replay";
}

/** Whether it is parked and was not replayed yet. */
export function isReplayable(delivery: Delivery): boolean {
  return delivery.state === "parked" && !delivery.replayed && isGenuine(delivery);
}
