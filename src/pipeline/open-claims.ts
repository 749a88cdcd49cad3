import { unref } from "../async.ts";

/** A claim, as far as its keeper is concerned. */
export interface OpenClaim {
  /** Where it stands among the open ones; the keeper's own note. */
  place: number;
  /** Starts the timer of its own that renews it and ends it. */
  watch(): void;
}

/** The place of a claim that nothing is left to be done for. */
export const NOT_OPEN = -1;

/**
 * The claims of one receiver that are not settled yet. Most live for milliseconds, and a timer for each would cost more than
 * the claim itself: so one timer, set by the first of them, starts the watch over all that have lived until then.
 */
export class OpenClaims {
  readonly #claims: OpenClaim[] = [];
  /** How long a claim may live without a watch, in milliseconds. */
  readonly #unwatchedMs: number;
  readonly #watchAtOnce = timersEndWithTheirRequest();
  #timer: unknown;

  constructor(unwatchedMs: number) {
    this.#unwatchedMs = unwatchedMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#claims.length;
  }

  /** Takes a claim in; it will be watched after `unwatchedMs` at the latest. */
  add(claim: OpenClaim): void {
    claim.place = this.#claims.length;
    this.#claims.push(claim);
    if (this.#watchAtOnce) {
      claim.watch();
      return;
    }
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#watchAll(), this.#unwatchedMs);
    unref(this.#timer);
  }

  /** Nothing is left to be done for a claim. The last one takes its place: a Set would be made anew time and again. */
  delete(claim: OpenClaim): void {
    if (claim.place === NOT_OPEN) return;
    const last = this.#claims.pop() as OpenClaim;
    if (last !== claim) {
      this.#claims[claim.place] = last;
      last.place = claim.place;
    }
    claim.place = NOT_OPEN;
  }

  #watchAll(): void {
    this.#timer = undefined;
    for (const claim of this.#claims) claim.watch();
  }
}

/** On Cloudflare Workers a timer belongs to the request that set it, and is gone with it: no request can rely on another's. */
function timersEndWithTheirRequest(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent === "Cloudflare-Workers";
}
