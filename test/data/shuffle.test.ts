import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32 } from '../../src/data/download/hash.ts';
import { permutation } from '../../src/data/shuffle.ts';
import { refusal } from './helpers.ts';

const seeds = fc.maxSafeNat();
const epochs = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('permutation', () => {
  it('holds each of 0 … n − 1 once', () => {
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

  it('differs where the epoch differs', () => {
    fc.assert(
      fc.property(seeds, epochs, epochs, (seed, a, b) => {
        fc.pre(a !== b);
        expect(permutation(50, seed, a)).not.toEqual(permutation(50, seed, b));
      }),
    );
  });

  it('differs where the seed differs, in its upper 32 bits too', () => {
    fc.assert(
      fc.property(seeds, seeds, epochs, (a, b, epoch) => {
        fc.pre(a !== b);
        expect(permutation(50, a, epoch)).not.toEqual(permutation(50, b, epoch));
      }),
    );
    expect(permutation(50, 1, 0)).not.toEqual(permutation(50, 1 + 2 ** 32, 0));
  });

  it('stays what it is: a change would change every seeded run', () => {
    expect([...permutation(8, 42, 3)]).toEqual([2, 4, 1, 3, 7, 0, 5, 6]);
    expect([...permutation(8, 2 ** 32, 0)]).toEqual([1, 5, 2, 6, 4, 3, 0, 7]);
  });

  // χ² has mean k and variance 2k for k degrees of freedom. Six standard deviations, so that the test speaks
  // of a fault and not of luck; the seeds are fixed, so that it says the same each time.
  const expectUniform = (counts: readonly number[], degrees: number) => {
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    expect(Math.abs(chiSquare - degrees)).toBeLessThan(6 * Math.sqrt(2 * degrees));
  };

  it.each(['epoch', 'seed'])('takes every order of 5 equally often, over each %s', (counter) => {
    const counts = new Map<string, number>();
    for (let k = 0; k < 24_000; k++) {
      const order = (counter === 'epoch' ? permutation(5, 7, k) : permutation(5, k, 7)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(120);
    expectUniform([...counts.values()], 119);
  });

  it('brings every example to every place equally often', () => {
    const n = 33;
    const counts = new Array<number>(n * n).fill(0);
    for (let epoch = 0; epoch < 20_000; epoch++) {
      permutation(n, 0, epoch).forEach((example, place) => counts[place * n + example]++);
    }
    expectUniform(counts, (n - 1) ** 2);
  });

  it('says which argument is out of range', () => {
    expect(refusal(() => permutation(-1, 0, 0)).problem).toBe('n is not an integer in range: -1');
    expect(refusal(() => permutation(3, 0.5, 0)).problem).toBe('seed is not an integer in range: 0.5');
    expect(refusal(() => permutation(3, 2 ** 53, 0)).op).toBe('permutation');
    expect(refusal(() => permutation(3, 0, NaN)).problem).toBe('epoch is not an integer in range: NaN');
    expect(refusal(() => permutation(3, 0, 2 ** 32)).hint).toBe('use an integer from 0 to 4294967295');
  });
});

it('mixes as the finalizer of MurmurHash3: the known hashes of no bytes under three seeds', () => {
  expect([0, 1, 0xffffffff].map(mix32)).toEqual([0, 0x514e28b7, 0x81f16f39]);
});
