import type { ClaimResult } from "../store.ts";

/**
 * Claims that nobody waits for any more, while their answers may still come: from a client's offline queue, for instance.
 * Unreleased, one that is written late would keep the event's retries away until its lease lapses.
 */
export class ForgoneClaims {
  readonly #tokens = new Set<string>();

  /** A token claims, or claims again: from now on an answer to an earlier claim must not lose what this one was given. */
  claiming(token: string): void {
    this.#tokens.delete(token);
  }

  /** Nobody waits for this answer any more; should it say "claimed", the claim is released. */
  forgo(token: string, answer: Promise<ClaimResult>, release: () => Promise<unknown>): void {
    this.#tokens.add(token);
    answer
      .then(({ status }) => (status === "claimed" && this.#tokens.has(token) ? release() : undefined))
      .catch(() => {})
      .finally(() => this.#tokens.delete(token));
  }
}
