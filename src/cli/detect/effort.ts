/** What was done so far, and how much a search may do. */
export interface Effort {
  /** MACs computed, and ed25519 signatures checked. */
  macs: number;
  /** Combinations of a signature's place, algorithm, encoding, key and content that were compared. */
  combinations: number;
  /** Bytes hashed for them. */
  hashedBytes: number;
  /** Contents that a search left untried, since it had come to its bound. */
  untried: number;
}

/**
 * One search hashes at most this much: about a second's work. A body of 1 MiB leaves some five hundred tries, the likeliest
 * first; one of 10 KiB leaves all of them.
 */
export const MAX_HASHED_BYTES: number = 512 * 1024 * 1024;

/** Nothing done yet. */
export function newEffort(): Effort {
  return { macs: 0, combinations: 0, hashedBytes: 0, untried: 0 };
}

/** Counts one MAC over so many bytes. */
export function count(effort: Effort, bytes: number): void {
  effort.macs += 1;
  // The two blocks that HMAC adds.
  effort.hashedBytes += bytes + 128;
}
