/**
 * Random numbers. Initialization, shuffling and dropout draw from separate streams, so adding a dropout layer changes
 * neither the initial weights nor the order of the examples. `manualSeed`, in `seed.ts`, seeds them.
 */
import { ValueError } from './errors.ts';

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

/** The streams of the library. They start in the states that `manualSeed(0)` sets, so programs are reproducible. */
export const streams: Readonly<Record<StreamName, Stream>> = {
  initialization: new Stream([0x7b1dcdaf, 0xe220a839, 0xa1b965f4, 0x6e789e6a]),
  shuffling: new Stream([0x8009454f, 0x06c45d18, 0x724c81ec, 0xf88bb8a8]),
  dropout: new Stream([0x51a8749b, 0x1b39896a, 0x747ea2ea, 0x53cb9f0c]),
};
