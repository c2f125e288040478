import { hashWords, mix32 } from '../download/hash.ts';

const TWO_32 = 4294967296;
const ROOT_3 = 1.7320508;

/**
 * The random numbers of one digit: a hash of (seed, index of the digit, how many were drawn). So a digit does
 * not depend on those before it.
 *
 * Everything that a digit is made of comes from + − × ÷ and √, which are the same to the last bit in every
 * engine. Math.sin, exp, log, pow and the operator ** are not, and one bit may turn a byte into its neighbour.
 */
export class Draws {
  readonly #key0: number;
  readonly #key1: number;
  #drawn = 0;

  constructor(seed: number, index: number) {
    // Two words from two starts (further digits of π than those of `permutation`, which orders the labels).
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

  /** Nearly normal with mean 0 and deviation 1, and within ±3.5: a sum of four uniform numbers. */
  bell(): number {
    return (this.uniform() + this.uniform() + this.uniform() + this.uniform() - 2) * ROOT_3;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(choices.length * this.uniform())];
  }
}
