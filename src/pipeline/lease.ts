import { unref } from "../async.ts";
import type { Deadline } from "./deadline.ts";

/** A lease. It counts from when it was asked for, however late the store's answer came. */
export interface Lease {
  /** By `performance.now()`, in milliseconds. */
  readonly startedAt: number;
  readonly leaseMs: number;
}

/** A lease that starts now, in whole milliseconds, capped at the deadline. */
export function leaseFromNow(leaseMs: number, deadline: Deadline | undefined): Lease {
  const startedAt = performance.now();
  if (deadline === undefined) return { startedAt, leaseMs };
  return { startedAt, leaseMs: Math.max(1, Math.min(leaseMs, Math.floor(deadline.at - startedAt))) };
}

/** What a heartbeat tells its claim. */
export interface HeartbeatListener {
  /** Asks the store for a longer lease; rejects where that fails. */
  renew(): Promise<Lease | "lost">;
  /** The lease ran out, or another process has the event. */
  onLost(message: string): void;
  /** `maxProcessingMs` or the deadline passed. */
  onTimeout(): void;
}

/** Renews the lease of a claim until it is stopped, and notices when the lease or the time for the work runs out. */
export class Heartbeat {
  readonly #listener: HeartbeatListener;
  readonly #leaseMs: number;
  readonly #timeoutAt: number;
  #renewAt = Number.POSITIVE_INFINITY;
  #expiresAt = Number.POSITIVE_INFINITY;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param lease undefined for work that goes on without a claim: nothing is renewed then
   * @param leaseMs the lease as configured; a shorter one was capped at the deadline, and is not renewed
   * @param timeoutAt when the work has taken too long, by `performance.now()`
   */
  constructor(listener: HeartbeatListener, lease: Lease | undefined, leaseMs: number, timeoutAt: number) {
    this.#listener = listener;
    this.#leaseMs = leaseMs;
    this.#timeoutAt = timeoutAt;
    if (lease !== undefined) this.#hold(lease);
    this.#schedule();
  }

  /** Stops renewing; the time for the work still counts. */
  stopRenewing(): void {
    this.#renewAt = Number.POSITIVE_INFINITY;
    this.#expiresAt = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #hold({ startedAt, leaseMs }: Lease): void {
    this.#expiresAt = startedAt + leaseMs;
    this.#renewAt = leaseMs < this.#leaseMs ? Number.POSITIVE_INFINITY : startedAt + leaseMs / 3;
  }

  #schedule(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    const next = Math.min(this.#renewAt, this.#expiresAt, this.#timeoutAt);
    this.#timer = setTimeout(() => this.#beat(), Math.ceil(next - performance.now()));
    unref(this.#timer);
  }

  #beat(): void {
    const now = performance.now();
    if (now >= this.#timeoutAt) {
      this.stop();
      this.#listener.onTimeout();
      return;
    }
    if (now >= this.#expiresAt) {
      this.stopRenewing();
      this.#listener.onLost("the claim could not be renewed within its lease");
    } else if (now >= this.#renewAt) void this.#renew();
    this.#schedule();
  }

  /** A renewal that fails is tried again a tenth of the lease later, while the lease lasts. */
  async #renew(): Promise<void> {
    this.#renewAt = Number.POSITIVE_INFINITY;
    try {
      const renewed = await this.#listener.renew();
      if (this.#expiresAt === Number.POSITIVE_INFINITY) return;
      if (renewed !== "lost") this.#hold(renewed);
      else {
        this.stopRenewing();
        this.#listener.onLost("another process has taken the event over");
      }
    } catch {
      if (this.#expiresAt !== Number.POSITIVE_INFINITY) this.#renewAt = performance.now() + this.#leaseMs / 10;
    }
    this.#schedule();
  }
}
