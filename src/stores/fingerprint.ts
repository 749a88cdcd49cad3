import { randomFillSync } from "node:crypto";

/** 128 bits that stand for a text: four numbers of 32 bits. */
export interface Fingerprint {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** Two of the four, where half as many bits are enough. */
export type HalfFingerprint = Pick<Fingerprint, "a" | "b">;

const NUMBERS_A_CHARACTER = 4;
/** The random numbers are drawn for texts of at least this length; a longer text draws more. */
const SHORTEST_CHARACTERS = 64;

/**
 * Takes fingerprints of texts under random numbers of its own, drawn from the system when first needed.
 *
 * Each of the four numbers is the sum of the text's characters, each multiplied by the random number of its place, modulo
 * 2^32. Whatever two texts of printable ASCII one takes without knowing the random numbers, one such sum agrees with
 * a probability of at most 2^-26 (in the first place where they differ, they do by less than 128, so by no more than 2^6 times an
 * odd number; 2^-32 where that is odd itself), and all four, which are independent, with at most 2^-104. Among a million
 * fingerprints remembered, a new text meets one by chance once in 2*10^25 times. Nobody outside sees a fingerprint, so
 * nobody can learn the numbers and aim. SHA-256 would argue more shortly and take three to nine times as long.
 */
export class Fingerprints {
  #random = new Int32Array(0);

  /** The fingerprint of a text. */
  of(text: string): Fingerprint {
    const random = this.#randomFor(text.length);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let place = 0, at = 0; place < text.length; place += 1, at += NUMBERS_A_CHARACTER) {
      // One more than the code, or text that ends in U+0000 would equal the text without.
      const character = text.charCodeAt(place) + 1;
      a = (a + Math.imul(character, random[at] as number)) | 0;
      b = (b + Math.imul(character, random[at + 1] as number)) | 0;
      c = (c + Math.imul(character, random[at + 2] as number)) | 0;
      d = (d + Math.imul(character, random[at + 3] as number)) | 0;
    }
    return { a, b, c, d };
  }

  /** Half the fingerprint of a text. */
  halfOf(text: string): HalfFingerprint {
    const random = this.#randomFor(text.length);
    let a = 0;
    let b = 0;
    for (let place = 0, at = 0; place < text.length; place += 1, at += NUMBERS_A_CHARACTER) {
      const character = text.charCodeAt(place) + 1;
      a = (a + Math.imul(character, random[at] as number)) | 0;
      b = (b + Math.imul(character, random[at + 1] as number)) | 0;
    }
    return { a, b };
  }

  /** The random numbers for texts of a length; those drawn before keep their places. */
  #randomFor(characters: number): Int32Array {
    const drawn = this.#random;
    const needed = NUMBERS_A_CHARACTER * Math.max(characters, SHORTEST_CHARACTERS);
    if (needed <= drawn.length) return drawn;
    this.#random = randomFillSync(new Int32Array(Math.max(needed, 2 * drawn.length)));
    this.#random.set(drawn);
    return this.#random;
  }
}
