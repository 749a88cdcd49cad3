/** How much a search may do, and what it has done. */
export interface Effort {
  /** MACs computed, and ed25519 signatures checked. */
  macs: number;
  /** Combinations of a signature's place, algorithm, encoding, key and content that were compared. */
  combinations: number;
  /** Bytes hashed for them. */
  hashedBytes: number;
  /** Contents that were left untried, since `hashedBytes` had come to its bound. */
  untried: number;
}

/**
 * A search hashes at most this much: about a second's work. A body of 1 MiB leaves a thousand tries, the likeliest first; one
 * of 10 KiB all of them.
 */
export const MAX_HASHED_BYTES: number = 1024 * 1024 * 1024;

/** Nothing done yet. */
export function newEffort(): Effort {
  return { macs: 0, combinations: 0, hashedBytes: 0, untried: 0 };
}

/** Counts one MAC over so many bytes, unless that would be too much. */
export function spend(effort: Effort, bytes: number): boolean {
  if (effort.hashedBytes + bytes > MAX_HASHED_BYTES) return false;
  effort.macs += 1;
  // The two blocks that HMAC adds.
  effort.hashedBytes += bytes + 128;
  return true;
}
