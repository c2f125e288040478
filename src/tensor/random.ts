/**
 * Random numbers that one seed reproduces. Initialization, shuffling and dropout draw from separate streams, so adding
 * a dropout layer changes neither the initial weights nor the order of the examples.
 */
import { expectInteger, ValueError } from './errors.ts';

export type StreamName = 'initialization' | 'shuffling' | 'dropout';
/** The state of a stream: four 32-bit words. */
export type StreamState = readonly [number, number, number, number];

/** xoshiro128** 1.1 (Blackman & Vigna 2018, public domain): 128 bits of state, period 2¹²⁸ − 1. */
export class Stream {
  private readonly words = new Uint32Array(4);

  constructor(state: StreamState) {
    this.state = state;
  }

  get state(): StreamState {
    const [first, second, third, fourth] = this.words;
    return [first, second, third, fourth];
  }

  set state(state: StreamState) {
    if (state.every((word) => word === 0)) {
      throw new ValueError('random', 'the state is zero', 'from this state, xoshiro128** returns only zeros');
    }
    this.words.set(state);
  }

  /** A random integer, uniform over 0 … 2³² − 1. */
  uint32(): number {
    const s = this.words;
    const scrambled = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return scrambled;
  }

  /** A random number, uniform over [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A random number, normal with mean 0 and standard deviation 1 (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

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

/** A new stream, whose state is the next 128 bits of the SplitMix64 sequence. */
function nextStream(words: Generator<bigint, never>): Stream {
  const [first, second] = [words.next().value, words.next().value];
  const low = (word: bigint) => Number(word & 0xffffffffn);
  return new Stream([low(first), low(first >> 32n), low(second), low(second >> 32n)]);
}

/** A separate stream, which `manualSeed` does not affect. */
export function seededStream(seed: number): Stream {
  return nextStream(splitMix64(BigInt(seed)));
}

/** One stream after the other, from one sequence of seeds. */
function newStreams(seed: number): Record<StreamName, Stream> {
  const words = splitMix64(BigInt(seed));
  return { initialization: nextStream(words), shuffling: nextStream(words), dropout: nextStream(words) };
}

/** The streams of the library. They start in the state that `manualSeed(0)` sets, so programs are reproducible. */
export const streams: Readonly<Record<StreamName, Stream>> = newStreams(0);

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
  const fresh = newStreams(expectInteger('manualSeed', 'seed', seed, 0));
  streams.initialization.state = fresh.initialization.state;
  streams.shuffling.state = fresh.shuffling.state;
  streams.dropout.state = fresh.dropout.state;
}
