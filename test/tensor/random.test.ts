/** Random numbers: they agree with the published generators, and streams are separate. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { manualSeed, randn, uniform, ValueError } from '../../src/index.ts';
import { cutNormal } from '../../src/layers/init.ts';
import { Stream, type StreamName, streams, type StreamState } from '../../src/tensor/random.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { onDevices } from '../on-devices.ts';
import { values, widest } from '../tensors.ts';
import { expectError } from './expect-error.ts';

beforeEach(() => manualSeed(0));

// ── references: the authors' C code, in BigInt arithmetic ─────────────────────────────────────────────

const low = (x: bigint, bits: number) => x & ((1n << BigInt(bits)) - 1n);
const rotl32 = (x: bigint, k: bigint) => low((x << k) | (x >> (32n - k)), 32);

/** xoshiro128starstar.c */
function* xoshiro(state: StreamState): Generator<number, never> {
  const s = state.map((word) => BigInt(word));
  for (;;) {
    yield Number(low(rotl32(low(s[1] * 5n, 32), 7n) * 9n, 32));
    const t = low(s[1] << 9n, 32);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl32(s[3], 11n);
  }
}

/** splitmix64.c */
function splitmix(seed: bigint, count: number): bigint[] {
  let x = seed;
  return Array.from({ length: count }, () => {
    x = low(x + 0x9e3779b97f4a7c15n, 64);
    let z = x;
    z = low((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n, 64);
    z = low((z ^ (z >> 27n)) * 0x94d049bb133111ebn, 64);
    return z ^ (z >> 31n);
  });
}

const names: readonly StreamName[] = ['initialization', 'shuffling', 'dropout'];
const states = () => names.map((name) => streams[name].state);
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe('a stream', () => {
  it('begins with the published numbers of xoshiro128**', () => {
    const stream = new Stream([1, 2, 3, 4]);
    expect(Array.from({ length: 4 }, () => stream.uint32())).toEqual([11520, 0, 5927040, 70819200]);
  });

  it('agrees with the reference from any state', () => {
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        fc.pre(a + b + c + d > 0);
        const [stream, reference] = [new Stream([a, b, c, d]), xoshiro([a, b, c, d])];
        for (let i = 0; i < 200; i++) expect(stream.uint32()).toBe(reference.next().value);
      }),
      { numRuns: 20 },
    );
  });

  it("continues from another stream's state", () => {
    const stream = seededStream(3);
    stream.normal();
    const copy = new Stream(stream.state);
    expect(copy.normal()).toBe(stream.normal());
    expect(copy.state).toEqual(stream.state);
  });

  it('refuses the zero state, from which every draw is 0', () => {
    expectError(() => new Stream([0, 0, 0, 0]), ValueError, /random: the state is zero/);
  });

  it('draws uniformly from 0 up to but not including 1', () => {
    const stream = new Stream([1, 2, 3, 4]);
    expect(stream.uniform()).toBe(11520 / 2 ** 32);
    expect(stream.uniform()).toBe(0);
    const draws = Array.from({ length: 10_000 }, () => stream.uniform());
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
  });

  it('draws finite normal values, also from a uniform 0', () => {
    const stream = new Stream([1, 0, 0, 1]); // its first draws are 0
    expect(Math.abs(stream.normal())).toBe(0);
    const draws = Array.from({ length: 10_000 }, () => stream.normal());
    expect(draws.every(Number.isFinite)).toBe(true);
  });

  it('draws truncated normal values in [−2, 2], with deviation 0.88', () => {
    const stream = seededStream(1);
    const draws = Array.from({ length: 20_000 }, () => cutNormal(stream));
    expect(Math.max(...draws.map(Math.abs))).toBeLessThanOrEqual(2);
    const variance = draws.reduce((sum, z) => sum + z * z, 0) / draws.length;
    expect(Math.sqrt(variance)).toBeCloseTo(0.8796, 2);
  });
});

describe('manualSeed', () => {
  it('seeds the streams one after the other from SplitMix64', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        manualSeed(seed);
        const words = splitmix(BigInt(seed), 6).flatMap((z) => [Number(low(z, 32)), Number(z >> 32n)]);
        expect(states().flat()).toEqual(words);
      }),
    );
  });

  it('begins with the published numbers of SplitMix64', () => {
    const words = (seed: number) => {
      manualSeed(seed);
      const [a, b, c, d] = streams.initialization.state.map(BigInt);
      return [(b << 32n) | a, (d << 32n) | c];
    };
    expect(words(0)).toEqual([0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n]);
    expect(words(1234567)).toEqual([6457827717110365317n, 3203168211198807973n]);
  });

  it('with seed 0 gives the states in which the streams start', async () => {
    manualSeed(0);
    vi.resetModules();
    const fresh = await import('../../src/tensor/random.ts');
    expect(names.map((name) => fresh.streams[name].state)).toEqual(states());
  });

  it('gives the same numbers for the same seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const draw = () => {
          manualSeed(seed);
          return [...values(randn([3])), ...values(uniform([3])), streams.dropout.uint32()];
        };
        expect(draw()).toEqual(draw());
      }),
    );
  });

  it('gives other numbers for another seed', () => {
    const draws = [0, 1, 2, 2 ** 32, 2 ** 53 - 1].map((seed) => {
      manualSeed(seed);
      return values(uniform([2])).join();
    });
    expect(new Set(draws).size).toBe(draws.length);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses %d and leaves the streams unchanged', (seed) => {
    const before = states();
    expectError(() => manualSeed(seed), ValueError, /^manualSeed: seed is .*an integer ≥ 0/);
    expect(states()).toEqual(before);
  });

  it('does not change separate streams', () => {
    const [stream, same] = [seededStream(5), seededStream(5)];
    manualSeed(9);
    expect(stream.uint32()).toBe(same.uint32());
  });
});

it('the hint for a seed that is too large says the limit', () => {
  expect(() => manualSeed(2 ** 53)).toThrow('Hint: an integer ≥ 0 and < 2⁵³ is expected');
  expect(() => manualSeed(-1)).toThrow('Hint: an integer ≥ 0 is expected');
});

describe('streams are separate', () => {
  it.each(names)('drawing from %s changes no other stream', (drawnFrom) => {
    const before = states();
    for (let i = 0; i < 10; i++) streams[drawnFrom].normal();
    names.forEach((name, k) => {
      if (name === drawnFrom) expect(streams[name].state).not.toEqual(before[k]);
      else expect(streams[name].state).toEqual(before[k]);
    });
  });

  it('and start in different states', () => {
    expect(new Set(states().map(String)).size).toBe(3);
  });

  it('randn and uniform draw from initialization', () => {
    const [, ...others] = states();
    randn([3]);
    uniform([3]);
    expect(states().slice(1)).toEqual(others);
    manualSeed(0);
    const reference = new Stream(streams.initialization.state);
    expect(values(uniform([2]))).toEqual([reference.uniform(), reference.uniform()].map(Math.fround));
  });
});

onDevices(() => {
  describe('the values drawn', () => {
    it('randn has mean 0, variance 1 and fourth moment 3', () => {
      const x = randn([40_000], { dtype: widest() });
      expect(Math.abs(x.mean().item())).toBeLessThan(0.02);
      expect(Math.abs(x.variance().item() - 1)).toBeLessThan(0.03);
      expect(Math.abs(x.pow(4).mean().item() - 3)).toBeLessThan(0.2);
    });

    it('uniform fills its range evenly', () => {
      const x = values(uniform([40_000], -2, 6, { dtype: widest() }));
      const bins = Array<number>(8).fill(0);
      for (const value of x) bins[Math.floor(value) + 2]++;
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(x.length);
      expect(bins.every((count) => Math.abs(count - 5000) < 300)).toBe(true);
    });

    it('uniform of an empty range is its bound; empty shapes have no values', () => {
      expect(values(uniform([3], 2, 2))).toEqual([2, 2, 2]);
      expect(uniform([0]).shape).toEqual([0]);
      expect(randn([2, 0]).shape).toEqual([2, 0]);
    });
  });
});

it('no source file calls Math.random', () => {
  const folders = ['../../src/', '../../kernels/'].map((path) => new URL(path, import.meta.url));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') })),
  );
  expect(sources.length).toBeGreaterThan(30);
  expect(
    sources.filter(({ text }) => /Math\s*(\?\.|\.|\[\s*['"])\s*random|getRandomValues/.test(text)),
  ).toEqual([]);
});
