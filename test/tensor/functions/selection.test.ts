/** Comparisons, `where`, `minimum` and `clamp`: values and gradients, also at ties and with NaN. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clamp,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  minimum,
  notEqual,
  ShapeError,
  tensor,
  ValueError,
  where,
} from '../../../src/index.ts';
import { gradientMatches } from '../../laws/kernel-laws.ts';
import { inFloat64, onDevices } from '../../on-devices.ts';
import { leaf, values, wide } from '../../tensors.ts';
import { broadcastable, broadcastAt, distinct, drawn, indices, seeds, shapes } from '../draw.ts';
import { expectError } from '../expect-error.ts';

const special = [0, -0, 1, -1, 2.5, Infinity, -Infinity, NaN];

onDevices(() => {
  describe('comparisons', () => {
    const comparisons = [
      ['greater', greater, (a: number, b: number) => a > b],
      ['greaterEqual', greaterEqual, (a: number, b: number) => a >= b],
      ['less', less, (a: number, b: number) => a < b],
      ['lessEqual', lessEqual, (a: number, b: number) => a <= b],
      ['equal', equal, (a: number, b: number) => a === b],
      ['notEqual', notEqual, (a: number, b: number) => a !== b],
    ] as const;

    it.each(comparisons)('%s is that of JavaScript for all pairs of special values', (_name, fn, wanted) => {
      const pairs = special.flatMap((a) => special.map((b) => [a, b]));
      const y = fn(wide(pairs.map(([a]) => a)), wide(pairs.map(([, b]) => b)));
      expect(values(y).map((one) => one + 0)).toEqual(pairs.map(([a, b]) => Number(wanted(a, b))));
    });

    it.each(comparisons)('%s broadcasts, and takes numbers', (_name, fn, wanted) => {
      fc.assert(
        fc.property(broadcastable, seeds, ({ a, b, y: shape }, seed) => {
          const rounded = (random: () => number) => Math.floor(3 * random());
          const [x, z] = [drawn(a, seed, rounded), drawn(b, seed + 1, rounded)];
          const y = fn(x, z);
          expect(y.shape).toEqual(shape);
          expect(values(y)).toEqual(
            indices(shape).map((at) => Number(wanted(broadcastAt(x, at), broadcastAt(z, at)))),
          );
          expect(values(fn(x, 1))).toEqual(values(x).map((value) => Number(wanted(value, 1))));
        }),
        { numRuns: 20 },
      );
    });

    it.each(comparisons)('%s requires no gradient', (_name, fn) => {
      const x = leaf([1, 2]);
      expect(fn(x, leaf([2, 1])).requiresGrad).toBe(false);
      x.mul(fn(x, 1.5)).sum().backward();
      expect(x.grad).not.toBeNull();
    });

    it('name themselves in errors', () => {
      expectError(() => less(wide([1, 2]), wide([1, 2, 3])), ShapeError, /^less: /);
      expectError(() => equal(3 as never, wide([1])), ValueError, /^equal: a is 3/);
    });
  });

  describe('where', () => {
    it('chooses, with any broadcasting of the three', () => {
      const y = where(wide([[1], [0]]), wide([1, 2, 3]), -1);
      expect(y.toArray()).toEqual([
        [1, 2, 3],
        [-1, -1, -1],
      ]);
      expect(where(wide([1, 0]), 5, wide([[7], [8]])).toArray()).toEqual([
        [5, 7],
        [5, 8],
      ]);
    });

    it('takes each condition but 0 for true', () => {
      expect(values(where(wide([2, -1, 0, -0, NaN, Infinity]), 1, 0))).toEqual([1, 1, 0, 0, 1, 1]);
    });

    it('keeps NaN and infinities that were not chosen out of values and gradients', () => {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const [a, b] = [leaf([1, bad]), leaf([bad, 2])];
        const y = where(wide([1, 0]), a, b);
        expect(values(y)).toEqual([1, 2]);
        y.mul(wide([3, 5]))
          .sum()
          .backward();
        expect(values(a.grad)).toEqual([3, 0]);
        expect(values(b.grad)).toEqual([0, 5]);
      }
    });

    it('keeps NaN and infinities that were chosen', () => {
      const y = where(wide([1, 1, 0]), wide([NaN, Infinity, 0]), wide([0, NaN, -Infinity]));
      expect(values(y)).toEqual([NaN, Infinity, -Infinity]);
    });

    it('gives an infinite incoming gradient to the chosen value only', () => {
      const [a, b] = [leaf([1, 1]), leaf([2, 2])];
      where(wide([1, 0]), a, b).backward(wide([Infinity, NaN]));
      expect(values(a.grad)).toEqual([Infinity, 0]);
      expect(values(b.grad)).toEqual([0, NaN]);
    });

    it('gives its condition no gradient', () => {
      const [condition, a] = [leaf([1, 0]), leaf([3, 4])];
      where(condition, a, 0).sum().backward();
      expect(condition.grad).toBeNull();
      expect(values(a.grad)).toEqual([1, 0]);
    });

    it('chooses first where a derivative is infinite, as its documentation says', () => {
      const x = leaf([0, 2]);
      where(greater(x, 0), x, 1).log().sum().backward();
      expect(values(x.grad)).toEqual([0, 0.5]);
    });

    it('names itself in errors', () => {
      expectError(() => where(wide([1, 0]), wide([1, 2, 3]), 0), ShapeError, /^where: /);
      expectError(() => where(true as never, 1, 0), ValueError, /^where: condition is true/);
    });
  });

  describe('minimum', () => {
    it('is that of JavaScript', () => {
      const pairs = special.flatMap((a) => special.map((b) => [a, b]));
      const y = minimum(wide(pairs.map(([a]) => a)), wide(pairs.map(([, b]) => b)));
      expect(values(y).map((value) => value + 0)).toEqual(pairs.map(([a, b]) => Math.min(a, b) + 0));
      expect(values(minimum(wide([1, 5]), 3))).toEqual([1, 3]);
    });

    it('gives each half of the gradient at a tie', () => {
      const [a, b] = [leaf([1, 2]), leaf([1, 3])];
      minimum(a, b)
        .mul(wide([4, 6]))
        .sum()
        .backward();
      expect(values(a.grad)).toEqual([2, 6]);
      expect(values(b.grad).map((g) => g + 0)).toEqual([2, 0]); // −0 + 0 is 0
    });
  });

  describe('clamp', () => {
    it('limits the values, and has the gradient 1 at its bounds, as PyTorch does', () => {
      const x = leaf([-3, 0, 0.5, 1, 7, Infinity]);
      const y = clamp(x, 0, 1);
      expect(values(y)).toEqual([0, 0, 0.5, 1, 1, 1]);
      y.sum().backward();
      expect(values(x.grad)).toEqual([0, 1, 1, 1, 0, 0]);
    });

    it('takes Infinity for no bound, and keeps NaN', () => {
      expect(values(clamp(wide([-3, 5, NaN]), 0, Infinity))).toEqual([0, 5, NaN]);
      expect(values(clamp(wide([-3, 5]), -Infinity, 1))).toEqual([-3, 1]);
    });

    it('refuses bounds that are no numbers, or in the wrong order', () => {
      const x = wide([1]);
      expectError(() => clamp(x, 2, 1), ValueError, /^clamp: min is 2, max is 1/);
      for (const [min, max] of [
        [NaN, 1],
        ['0', '1'],
        [0, undefined],
        [null, null],
        [[0], [1]],
      ]) {
        expectError(() => clamp(x, min as never, max as never), ValueError, /^clamp: min is .*, max is /);
      }
      expectError(() => clamp([1] as never, 0, 1), ValueError, /^clamp: x is /);
    });
  });
});

inFloat64(() => {
  describe('gradients of', () => {
    it('where', () => {
      gradientMatches(
        fc.tuple(broadcastable, seeds).map(([{ a, b, y }, seed]) => ({
          fn: (x, z) => where(greater(drawn(y, seed + 2).detach(), 0), x.mul(2), z.mul(z)),
          inputs: [drawn(a, seed), drawn(b, seed + 1)],
        })),
        60,
      );
    });

    it('minimum', () => {
      gradientMatches(
        fc.tuple(broadcastable, seeds).map(([{ a, b }, seed]) => ({
          fn: minimum,
          inputs: [distinct(a, seed), distinct(b, seed + 1, 1 / 8)],
        })),
        60,
      );
    });

    it('clamp', () => {
      gradientMatches(
        fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
          fn: (x) => clamp(x.mul(x), 0.4, 2),
          inputs: [distinct(shape, seed, 0.1)],
        })),
        60,
      );
    });
  });

  it('where refuses a condition of another element type', () => {
    const condition = tensor([1, 0], { dtype: 'float32' });
    expect(() => where(condition, wide([1, 2]), wide([3, 4]))).toThrow(/^where: element types differ/);
  });
});
