import type { InboxFailure } from "../../src/inbox/inbox.ts";

/** A stored message. */
export interface Row {
  readonly key: string;
  readonly id: string;
  readonly type: string;
  readonly orderingKey: string | undefined;
  readonly json: string;
  readonly place: number;
  state: "waiting" | "active" | "parked";
  waitingSince: number;
  dueAt: number;
  /** Attempts that were started. */
  started: number;
  /** Proof of the run that has it. */
  token: string | undefined;
  leasedUntil: number;
  error: InboxFailure;
  parkedAt: number;
}

/** What several inboxes share. */
export class PlainBackend {
  rows: Map<string, Row> = new Map();
  readonly remembered: Set<string> = new Set();
  places = 0;
}

/** How long a message belongs to a run without a sign of life. */
export const LEASE_MS = 1_000;
