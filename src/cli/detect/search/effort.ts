/** What was done so far, and how much a search may do. */
export interface Effort {
  /** MACs computed, and ed25519 signatures checked. */
  macs: number;
  /** Combinations of a signature's place, algorithm, encoding, key and content that were compared. */
  combinations: number;
  /** Bytes hashed for them, and what else a MAC costs, as bytes. */
  hashedBytes: number;
}

/**
 * The search hashes at most this much, about half a second's work: ninety thousand tries of a small body, more than there
 * are for one secret; nearly four hundred of a body of 1 MiB, the likeliest first.
 */
export const MAX_HASHED_BYTES: number = 384 * 1024 * 1024;

/** To set up a MAC takes as long as to hash some 4 KiB. */
const MAC_BYTES = 4 * 1024;

/** Nothing done yet. */
export function newEffort(): Effort {
  return { macs: 0, combinations: 0, hashedBytes: 0 };
}

/** Counts one MAC over so many bytes. */
export function count(effort: Effort, bytes: number): void {
  effort.macs += 1;
  effort.hashedBytes += bytes + MAC_BYTES;
}
