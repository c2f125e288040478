/**
 * Random numbers, reproducible from one seed. Initialization, shuffling and dropout draw from separate
 * streams, so that adding a dropout layer changes neither the weights nor the order of the examples.
 */
import { expectInteger, ValueError } from './errors.ts';

export type StreamName = 'initialization' | 'shuffling' | 'dropout';
/** The state of a stream: four 32-bit words. */
export type StreamState = readonly [number, number, number, number];

/** xoshiro128** 1.1 (Blackman & Vigna 2018, public domain): 128 bits of state, period 2¹²⁸ − 1. */
export class Stream {
  private s0 = 0;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;

  constructor(state: StreamState) {
    this.state = state;
  }

  get state(): StreamState {
    return [this.s0, this.s1, this.s2, this.s3];
  }

  set state(state: StreamState) {
    if (state.every((word) => word === 0)) {
      throw new ValueError(
        'random',
        `the state is zero: [${state.join(', ')}]`,
        'use another state: from zero, xoshiro draws only 0',
      );
    }
    [this.s0, this.s1, this.s2, this.s3] = state.map((word) => word >>> 0);
  }

  /** An integer, uniform over 0 … 2³² − 1. */
  uint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotateLeft(this.s3, 11);
    [this.s0, this.s1, this.s2, this.s3] = [this.s0 >>> 0, this.s1 >>> 0, this.s2 >>> 0, this.s3 >>> 0];
    return scrambled;
  }

  /** Uniform over [0, 1), in steps of 2⁻³². */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Normal with mean 0 and deviation 1 (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** SplitMix64 (Steele, Lea & Flood 2014): xoshiro's authors recommend it for seeding. */
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

const names: readonly StreamName[] = ['initialization', 'shuffling', 'dropout'];

/** A state for a stream: the next 128 bits of the SplitMix64 sequence. */
function nextState(words: Generator<bigint, never>): StreamState {
  const [first, second] = [words.next().value, words.next().value];
  const low = (word: bigint) => Number(word & 0xffffffffn);
  return [low(first), low(first >> 32n), low(second), low(second >> 32n)];
}

/** A separate stream, independent of `manualSeed`. */
export function seededStream(seed: number): Stream {
  return new Stream(nextState(splitMix64(BigInt(seed))));
}

/** The streams of the library. They start as after `manualSeed(0)`, so programs are reproducible by default. */
export const streams: Readonly<Record<StreamName, Stream>> = (() => {
  const words = splitMix64(0n);
  const [initialization, shuffling, dropout] = names.map(() => new Stream(nextState(words)));
  return { initialization, shuffling, dropout };
})();

/**
 * Seeds initialization, shuffling and dropout. The same seed on the same device gives the same run, bit
 * for bit. The default seed is 0.
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
  for (const name of names) streams[name].state = nextState(words);
}
