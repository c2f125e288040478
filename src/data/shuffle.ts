import { DataError } from './errors.ts';
import { hashWords, mix32 } from './download/hash.ts';

const TWO_32 = 2 ** 32;

/**
 * The order of one epoch: the integers 0 … n − 1, shuffled. A pure function, so that to resume a training run
 * nothing of the shuffling has to be saved but the number of the epoch.
 *
 * Fisher–Yates: for i = n−1 … 1, swap p[i] and p[j], j = ⌊h(i)·(i+1) / 2³²⌋, where h(i) is a 32-bit hash of
 * (seed, epoch, i). No j is more likely than another by over (i+1)/2³²: for 60,000 examples by 1 in 70,000.
 *
 * @param n how many; an integer in 0 … 2³² − 1
 * @param seed an integer in 0 … 2⁵³ − 1
 * @param epoch an integer in 0 … 2³² − 1
 * @throws {DataError} if one of them is not
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
  checkInteger('permutation', 'n', n, TWO_32 - 1);
  checkSeed('permutation', seed);
  checkEpoch('permutation', epoch);
  // The key has 64 bits, in two words from two starts (the first digits of π): with one word of 32, the
  // numbers of two epochs would now and then be the same ones in another order.
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

export function checkSeed(op: string, seed: number): void {
  checkInteger(op, 'seed', seed, Number.MAX_SAFE_INTEGER);
}

export function checkEpoch(op: string, epoch: number): void {
  checkInteger(op, 'epoch', epoch, TWO_32 - 1);
}

function checkInteger(op: string, name: string, value: number, largest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return;
  throw new DataError(
    op,
    `${name} is not an integer in range: ${value}`,
    `use an integer from 0 to ${largest}`,
  );
}
