import { unref } from "../async.ts";
import type { ClaimTerms } from "./claim.ts";
import { type Lease, leaseFrom } from "./ending.ts";

/** A claim, as far as it is watched over. */
export interface Watched {
  readonly key: string;
  readonly token: string;
  readonly terms: ClaimTerms;
  /** The lease that it was given. */
  readonly lease: Lease;
  /** Whether a lease guards the work. */
  readonly guarded: boolean;
  /** Whether its end has begun. */
  readonly settled: boolean;
  /** Why it is no longer to be relied on, where that is so. */
  readonly ended: unknown;
  end(code: "claim_lost", message: string): void;
  timeOut(): void;
}

/** Looks after a claim: renews its lease, and tells it when that is lost or its time is over. Most are settled before one is made. */
export class ClaimWatch {
  readonly #claim: Watched;
  /** Of the claim, or of the last renewal that succeeded. */
  #lease: Lease;
  #renewing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(claim: Watched) {
    this.#claim = claim;
    this.#lease = claim.lease;
    this.#tick();
  }

  /** It is not needed any longer. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Looks ten times a lease, and whenever a renewal is due, the lease lapses or the time is over. */
  #tick(): void {
    const { settled, terms } = this.#claim;
    // Whoever listens for the abort may have settled just now.
    if (settled) return;
    const now = terms.clock();
    const due = [this.#renewAt(), this.#lapsesAt(), this.#overAt()].filter((at) => at > now);
    this.#timer = setTimeout(() => this.#look(), Math.ceil(Math.min(terms.leaseMs / 10, ...due.map((at) => at - now))));
    unref(this.#timer);
  }

  #look(): void {
    const claim = this.#claim;
    const now = claim.terms.clock();
    if (now >= this.#overAt()) {
      claim.timeOut();
      return;
    }
    if (claim.ended === undefined) {
      if (now >= this.#lapsesAt()) claim.end("claim_lost", "the claim could not be renewed within its lease");
      else if (now >= this.#renewAt() && !this.#renewing) void this.#renew(now);
    }
    this.#tick();
  }

  /** When the work has taken too long. */
  #overAt(): number {
    const { lease, terms } = this.#claim;
    return Math.min(lease.sentAt + terms.maxProcessingMs, terms.ending?.answerBy ?? Number.POSITIVE_INFINITY);
  }

  /** When the lease is over; never, where none guards the work. */
  #lapsesAt(): number {
    const { sentAt, leaseMs } = this.#lease;
    return this.#claim.guarded ? sentAt + leaseMs : Number.POSITIVE_INFINITY;
  }

  /** When it is to be renewed. A shortened lease lasts for as long as the process does. */
  #renewAt(): number {
    const { guarded, terms } = this.#claim;
    const { sentAt, leaseMs } = this.#lease;
    return guarded && leaseMs >= terms.leaseMs ? sentAt + leaseMs / 3 : Number.POSITIVE_INFINITY;
  }

  async #renew(sentAt: number): Promise<void> {
    const { key, token, terms } = this.#claim;
    const leaseMs = leaseFrom(sentAt, terms);
    this.#renewing = true;
    try {
      const held = await terms.verbs.renew(key, { token, leaseMs });
      if (!held) return this.#claim.end("claim_lost", "another process has taken the event over");
      this.#lease = { sentAt, leaseMs };
    } catch (error) {
      // The next look tries again, a tenth of the lease later.
      terms.log.warn("renew_failed", "could not renew the claim; retrying while its lease lasts", error);
    } finally {
      this.#renewing = false;
    }
  }
}
