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
  /** What befalls it. */
  readonly faults: readonly Fault[];
  /** How it is forged, where it is. */
  readonly forgery: ForgeryKind | null;
  state: DeliveryState;
  updatedAt: number;
  nextAttemptAt: number | null;
  /** What it was signed with first; sent again where the scheme signs no time. */
  signed: Signed | null;
  /** Whether a replay has taken its place. */
  replayed: boolean;
  readonly attempts: Attempt[];
}

/** One request and what came of it. */
export interface Attempt {
  /** By the sandbox's clock. */
  readonly at: number;
  readonly fault: string | null;
  readonly signed: Signed;
  /** The bytes that were sent, where they are not the delivery's. */
  readonly body: Buffer | null;
  headers: readonly (readonly [string, string])[];
  latencyMs: number | null;
  status: number | null;
  error: string | null;
  answer: Answer | null;
}

/** What an endpoint answered, as much of it as is kept. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The beginning of the body. */
  readonly body: Buffer;
  /** How long the whole was, as far as it was read. */
  readonly bytes: number;
}

/** Whether nothing more will happen to it. */
export function isFinished({ state }: Delivery): boolean {
  return state === "delivered" || state === "parked";
}

/** Whether it is one that Bluum itself would send and retry: neither a copy nor a forgery. */
export function isGenuine({ origin }: Delivery): boolean {
  return origin === "event" || origin === "replay";
}

/** Whether it was given up, and not replayed since. */
export function isReplayable(delivery: Delivery): boolean {
  return delivery.state === "parked" && !delivery.replayed && isGenuine(delivery);
}
