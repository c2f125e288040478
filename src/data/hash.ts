/**
 * A bijection of the 32-bit integers in which every bit of the input changes about half of the output's bits.
 *
 * Source: `fmix32`, the finalizer of MurmurHash3 by Austin Appleby, who placed it in the public domain
 * (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
 */
export function mix32(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One 32-bit number that depends on each of the words and on their order. */
export function hashWords(start: number, words: readonly number[]): number {
  return words.reduce((h, word) => mix32(h ^ word), start);
}
