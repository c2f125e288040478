import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { nets } from '../../src/networks.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { digits, type DigitsOptions } from '../../src/data/digits.ts';
import { crossEntropy, DataLoader, evaluate, fit, manualSeed, SGD } from '../../src/index.ts';
import { refusal } from './helpers.ts';

const counts = fc.integer({ min: 1, max: 40 });
const seeds = fc.maxSafeNat();
const image = ({ x }: Dataset, i: number) => new Uint8Array(x.buffer, 784 * i, 784);
/** Σ value · weight(pixel). */
const sum = (pixels: Uint8Array, weight: (pixel: number) => number) =>
  pixels.reduce((total, value, pixel) => total + value * weight(pixel), 0);

describe('digits', () => {
  it('are a dataset of bytes, as MNIST is', () => {
    const { x, shape, labels, divisor } = digits({ count: 7, seed: 0 });
    expect([x, labels]).toEqual([expect.any(Uint8Array), expect.any(Uint8Array)]);
    expect([x.length, shape, labels.length, divisor]).toEqual([7 * 784, [784], 7, 255]);
  });

  it('are those of the seed, however many they are', () => {
    fc.assert(
      fc.property(counts, counts, seeds, (a, b, seed) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)];
        const [first, all] = [digits({ count: few, seed }), digits({ count: many, seed })];
        expect(first.x).toEqual(all.x.subarray(0, first.x.length));
        expect(first.labels).toEqual(all.labels.subarray(0, few));
      }),
      { numRuns: 20 },
    );
  });

  it('differ where the seed differs, in its upper 32 bits too', () => {
    const ofSeed = (seed: number) => digits({ count: 10, seed });
    expect(ofSeed(1).x).not.toEqual(ofSeed(2).x);
    expect(ofSeed(1).x).not.toEqual(ofSeed(1 + 2 ** 32).x);
    expect(ofSeed(1).labels).not.toEqual(ofSeed(2).labels);
  });

  it('are never the same twice', () => {
    const dataset = digits({ count: 2000, seed: 3 });
    const different = new Set(Array.from({ length: 2000 }, (_, i) => image(dataset, i).join()));
    expect(different.size).toBe(2000);
  });

  it('stay what they are, on every machine: a change would change every result on them', () => {
    const { x, labels } = digits({ count: 500, seed: 42 });
    expect([...labels.subarray(0, 10)]).toEqual([7, 1, 6, 2, 0, 8, 9, 3, 4, 5]);
    expect(createHash('sha256').update(labels).update(x).digest('hex')).toBe(
      '1a9fcb22bab900cb67b61ab7b0efa55fd1c5df4c1fb64faf18303ea4c3181e17',
    );
  });

  it('take nothing from the functions that engines may compute differently', () => {
    const inexact = [
      'sin',
      'cos',
      'tan',
      'atan',
      'atan2',
      'exp',
      'log',
      'pow',
      'hypot',
      'cbrt',
      'random',
    ] as const;
    const spies = inexact.map((name) => vi.spyOn(Math, name));
    digits({ count: 20, seed: 1 });
    const called = inexact.filter((_, k) => spies[k].mock.calls.length > 0);
    vi.restoreAllMocks();
    expect(called).toEqual([]);
  });

  it('hold every class once in each ten', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { labels } = digits({ count: 30, seed });
        for (const begin of [0, 10, 20]) {
          expect([...labels.subarray(begin, begin + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('are ink on nothing: every gray, as much as in MNIST, and about in the middle', () => {
    const dataset = digits({ count: 1000, seed: 5 });
    expect(new Set(dataset.x).size).toBe(256);
    for (let i = 0; i < 1000; i++) {
      const pixels = image(dataset, i);
      const ink = sum(pixels, () => 1);
      const share = ink / 255 / 784;
      expect(share, `digit ${i}`).toBeGreaterThan(0.015); // in MNIST from 0.025
      expect(share, `digit ${i}`).toBeLessThan(0.4); // in MNIST to 0.398
      const centre = [sum(pixels, (p) => p % 28) / ink, sum(pixels, (p) => Math.floor(p / 28)) / ink];
      for (const at of centre) expect(Math.abs(at - 14), `digit ${i}`).toBeLessThan(5); // in MNIST 0.5
      const corners = [0, 27, 756, 783].map((pixel) => pixels[pixel]);
      expect(corners, `digit ${i}`).toEqual([0, 0, 0, 0]);
    }
  });

  it.each([
    [{ count: 0, seed: 1 }, 'digits: count is 0. Hint: use an integer from 1 to 1000000'],
    [{ count: 2.5, seed: 1 }, 'digits: count is 2.5. Hint: use an integer from 1 to 1000000'],
    [{ count: 1e9, seed: 1 }, 'digits: count is 1000000000. Hint: use an integer from 1 to 1000000'],
    [{ count: NaN, seed: 1 }, 'digits: count is NaN. Hint: use an integer from 1 to 1000000'],
    [
      { count: 1, seed: -1 },
      'digits: seed is not an integer in range: -1. Hint: use an integer from 0 to 9007199254740991',
    ],
    [{ count: 1, seed: 1, size: 32 }, 'digits: unknown option: size. Hint: the options are count, seed'],
  ])('refuses %o', (options: DigitsOptions, message) => {
    expect(refusal(() => digits(options)).message).toBe(message);
  });

  it('needs a seed, so that nobody tests on what was trained on', () => {
    const options = { count: 1 } as DigitsOptions;
    expect(refusal(() => digits(options)).problem).toBe('seed is not an integer in range: undefined');
  });
});

describe('to classify digits', () => {
  const train = digits({ count: 15_000, seed: 1 });
  const test = digits({ count: 3000, seed: 2 });

  it('is neither trivial nor hopeless: the nearest mean is right in 50 … 85 %', () => {
    const correct = test.labels.filter((label, i) => nearest(classMeans, image(test, i)) === label).length;
    expect(correct / test.labels.length).toBeGreaterThan(0.5);
    expect(correct / test.labels.length).toBeLessThan(0.85);
  });

  it('is what the bn net learns to do in over 95 %', { timeout: 60_000 }, async () => {
    manualSeed(1);
    const model = nets.bn();
    await fit(model, {
      train: new DataLoader(train, { batchSize: 64, shuffle: true }),
      loss: crossEntropy,
      // Fifty times the experiment's rate, in a fortieth of its steps.
      optimizer: new SGD(model.parameters(), { lr: 0.05 }),
      epochs: 2,
    });
    const { accuracy } = await evaluate(model, test);
    expect(accuracy).toBeGreaterThan(0.95);
  });

  const classMeans = Array.from({ length: 10 }, (_, label) => {
    const total = new Float64Array(784);
    let count = 0;
    train.labels.forEach((other, i) => {
      if (other !== label) return;
      count++;
      image(train, i).forEach((value, pixel) => (total[pixel] += value));
    });
    return total.map((value) => value / count);
  });
});

/** The index of the mean at the smallest Euclidean distance. */
function nearest(means: readonly Float64Array[], pixels: ArrayLike<number>): number {
  const distances = means.map((mean) =>
    mean.reduce((total, value, pixel) => total + (value - pixels[pixel]) ** 2, 0),
  );
  return distances.indexOf(Math.min(...distances));
}
