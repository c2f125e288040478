/** Seeds the random streams: one number gives the states of all of them. */
import { expectInteger } from './errors.ts';
import { Stream, type StreamState, streams } from './random.ts';

/** SplitMix64 (Steele, Lea & Flood 2014), which the authors of xoshiro recommend for seeding. */
function* splitMix64(seed: bigint): Generator<bigint, never> {
  const mask = (1n << 64n) - 1n;
  let state = seed & mask;
  for (;;) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield z ^ (z >> 31n);
  }
}

/** The state of a stream from the next 128 bits of a SplitMix64 sequence. */
function nextState(words: Generator<bigint, never>): StreamState {
  const [first, second] = [words.next().value, words.next().value];
  const low = (word: bigint) => Number(word & 0xffffffffn);
  return [low(first), low(first >> 32n), low(second), low(second >> 32n)];
}

/** A separate stream, which `manualSeed` does not affect. */
export function seededStream(seed: number): Stream {
  return new Stream(nextState(splitMix64(BigInt(seed))));
}

/**
 * Seeds the random numbers of initialization, shuffling and dropout. With the same seed on the same device, a program
 * computes the same numbers, bit for bit. Without a call, the seed is 0.
 *
 * @param seed An integer from 0 to 2⁵³ − 1.
 * @throws {ValueError} The seed is not an integer in that range.
 * @example
 * ```ts
 * import { manualSeed, uniform } from 'gammabeta';
 *
 * manualSeed(7);
 * const a = uniform([2]).toArray();
 * manualSeed(7);
 * const b = uniform([2]).toArray();
 * console.log(String(a) === String(b)); // true
 * ```
 */
export function manualSeed(seed: number): void {
  const words = splitMix64(BigInt(expectInteger('manualSeed', 'seed', seed, 0)));
  for (const stream of [streams.initialization, streams.shuffling, streams.dropout]) {
    stream.state = nextState(words);
  }
}
