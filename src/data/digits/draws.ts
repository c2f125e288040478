import { hashWords, mix32 } from '../hash.ts';

const TWO_32 = 4294967296;
const ROOT_3 = 1.7320508;

/**
 * The random numbers of one digit. Draw k is a hash of (seed, index of the digit, k), so a digit does not depend on
 * the digits before it.
 *
 * Digits are computed with + − × ÷ and √ only, whose results are the same to the last bit in every engine. Those of
 * Math.sin, exp, log, pow and the operator ** are not, and one bit may change a byte of the image.
 */
export class Draws {
  readonly #key0: number;
  readonly #key1: number;
  #drawn = 0;

  constructor(seed: number, index: number) {
    // Two words with different start values: digits of π that `permutation`, which orders the labels, does not use.
    const words = [seed % TWO_32, Math.floor(seed / TWO_32), index];
    this.#key0 = hashWords(0x13198a2e, words);
    this.#key1 = hashWords(0x03707344, words);
  }

  /** Uniform over [0, 1), in steps of 2⁻³². */
  uniform(): number {
    return mix32(mix32(this.#drawn++ ^ this.#key0) ^ this.#key1) / TWO_32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A sum of four uniform numbers: nearly normal, with mean 0, deviation 1 and values within ±3.5. */
  bell(): number {
    return (this.uniform() + this.uniform() + this.uniform() + this.uniform() - 2) * ROOT_3;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(choices.length * this.uniform())];
  }
}
