import { expectInteger, expectNumber } from '../tensor/errors.ts';
import { hashWords, mix32 } from './hash.ts';

const TWO_32 = 2 ** 32;

/**
 * The order of the examples in one epoch: a permutation of the integers 0 … n − 1. It is a pure function, so a
 * training run can be resumed from the number of the epoch alone.
 *
 * The algorithm is Fisher–Yates: for i = n−1 … 1, swap p[i] and p[j] with j = ⌊h(i)·(i+1) / 2³²⌋, where h(i) is a
 * 32-bit hash of (seed, epoch, i). The probabilities of two values of j differ by a factor of at most
 * 1 + (i+1)/2³²: for 60,000 examples, by 1 in 70,000.
 *
 * @param n the number of examples, an integer in 0 … 2³² − 1
 * @param seed an integer in 0 … 2⁵³ − 1
 * @param epoch an integer in 0 … 2³² − 1
 * @throws {ValueError} if one of them is not in its range
 * @see Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2P
 * @example
 * ```ts
 * import { permutation } from 'gammabeta';
 *
 * console.log(permutation(5, 1, 0)); // Uint32Array(5) [ 1, 0, 3, 2, 4 ]
 * console.log(permutation(5, 1, 1)); // Uint32Array(5) [ 4, 0, 2, 1, 3 ]
 * console.log(permutation(5, 1, 0)); // Uint32Array(5) [ 1, 0, 3, 2, 4 ]
 * ```
 */
export function permutation(n: number, seed: number, epoch: number): Uint32Array {
  expectUint32('permutation', 'n', n);
  expectInteger('permutation', 'seed', seed, 0);
  expectUint32('permutation', 'epoch', epoch);
  // The key has 64 bits: two words with different start values (the first digits of π). With a key of 32 bits,
  // two epochs would sometimes use the same hashes in a different order.
  const words = [seed % TWO_32, Math.floor(seed / TWO_32), epoch];
  const key0 = hashWords(0x243f6a88, words);
  const key1 = hashWords(0x85a308d3, words);
  const order = identity(n);
  for (let i = n - 1; i > 0; i--) {
    const h = mix32(mix32(i ^ key0) ^ key1);
    const j = Math.floor((h * (i + 1)) / TWO_32);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order;
}

/** 0, 1, …, n − 1. */
export function identity(n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** An integer in 0 … 2³² − 1: the hash takes words of 32 bits. */
export function expectUint32(op: string, name: string, value: number): number {
  return expectNumber(op, name, expectInteger(op, name, value, 0), { to: TWO_32 - 1 });
}
