import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32 } from '../../src/data/hash.ts';
import { permutation } from '../../src/data/shuffle.ts';
import { ValueError } from '../../src/tensor/errors.ts';
import { refusal } from './helpers.ts';

const seeds = fc.maxSafeNat();
const epochs = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('permutation', () => {
  it('contains each of 0 … n − 1 once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), seeds, epochs, (n, seed, epoch) => {
        const sorted = permutation(n, seed, epoch).sort();
        expect([...sorted]).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('is a pure function of its arguments', () => {
    fc.assert(
      fc.property(seeds, epochs, (seed, epoch) => {
        expect(permutation(50, seed, epoch)).toEqual(permutation(50, seed, epoch));
      }),
    );
  });

  it('depends on the epoch', () => {
    fc.assert(
      fc.property(seeds, epochs, epochs, (seed, a, b) => {
        fc.pre(a !== b);
        expect(permutation(50, seed, a)).not.toEqual(permutation(50, seed, b));
      }),
    );
  });

  it('depends on the seed, including its upper 32 bits', () => {
    fc.assert(
      fc.property(seeds, seeds, epochs, (a, b, epoch) => {
        fc.pre(a !== b);
        expect(permutation(50, a, epoch)).not.toEqual(permutation(50, b, epoch));
      }),
    );
    expect(permutation(50, 1, 0)).not.toEqual(permutation(50, 1 + 2 ** 32, 0));
  });

  it('has fixed values: a change would change every seeded run', () => {
    expect([...permutation(8, 42, 3)]).toEqual([2, 4, 1, 3, 7, 0, 5, 6]);
    expect([...permutation(8, 2 ** 32, 0)]).toEqual([1, 5, 2, 6, 4, 3, 0, 7]);
  });

  // χ² has mean k and variance 2k for k degrees of freedom. The tolerance is six standard deviations, and the seeds are
  // fixed, so the test does not fail by chance.
  const expectUniform = (counts: readonly number[], degrees: number) => {
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    expect(Math.abs(chiSquare - degrees)).toBeLessThan(6 * Math.sqrt(2 * degrees));
  };

  it.each(['epoch', 'seed'])('gives every order of 5 equally often, over each %s', (counter) => {
    const counts = new Map<string, number>();
    for (let k = 0; k < 24_000; k++) {
      const order = (counter === 'epoch' ? permutation(5, 7, k) : permutation(5, k, 7)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(120);
    expectUniform([...counts.values()], 119);
  });

  it('puts every example in every place equally often', () => {
    const n = 33;
    const counts = new Array<number>(n * n).fill(0);
    for (let epoch = 0; epoch < 20_000; epoch++) {
      permutation(n, 0, epoch).forEach((example, place) => counts[place * n + example]++);
    }
    expectUniform(counts, (n - 1) ** 2);
  });

  it('says which argument is out of range', () => {
    const refused = (n: number, seed: number, epoch: number) =>
      refusal(() => permutation(n, seed, epoch), ValueError);
    expect(refused(-1, 0, 0).problem).toBe('n is -1');
    expect(refused(3, 0.5, 0).problem).toBe('seed is 0.5');
    expect(refused(3, 2 ** 53, 0).op).toBe('permutation');
    expect(refused(3, 0, NaN).problem).toBe('epoch is NaN');
    expect(refused(3, 0, 2 ** 32).problem).toBe('epoch is 4294967296');
    expect(refused(3, 0, 2 ** 32).hint).toContain('≤ 4294967295');
  });
});

it('mix32 is the finalizer of MurmurHash3: it gives the known hashes of the empty string for three seeds', () => {
  expect([0, 1, 0xffffffff].map(mix32)).toEqual([0, 0x514e28b7, 0x81f16f39]);
});
