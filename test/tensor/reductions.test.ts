/** Sums, means, variances and maxima over any axes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deviceInfo,
  full,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  type VarianceOptions,
} from '../../src/index.ts';
import { broadcastAt, drawn, indices, seeds, shapes } from './draw.ts';
import { wide, values } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ either }) => {
  const { dtypes } = deviceInfo();

  /** A shape and a random subset of its axes (null: the argument is left out), counted from either end. */
  const reductions = shapes().chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.option(fc.shuffledSubarray(shape.map((_, axis) => axis))),
      fromTheBack: fc.boolean(),
      seed: seeds,
    }),
  );

  /** The groups of values that a reduction over `axes` combines, in the order of its results. */
  function groups(x: Tensor, axes: readonly number[]): number[][] {
    const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    const reduced = x.shape.map((n, axis) => (axes.includes(axis) ? n : 1));
    return indices(kept).map((outer) =>
      indices(reduced).map((inner) =>
        broadcastAt(
          x,
          outer.map((i, axis) => i + inner[axis]),
        ),
      ),
    );
  }

  const total = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  const average = (list: readonly number[]) => total(list) / list.length;
  const spread = (list: readonly number[]) => average(list.map((value) => (value - average(list)) ** 2));

  describe.each<
    [string, (x: Tensor, axis?: number[], keepDims?: boolean) => Tensor, (list: number[]) => number]
  >([
    ['sum', (x, axis, keepDims) => x.sum(axis, keepDims), total],
    ['mean', (x, axis, keepDims) => x.mean(axis, keepDims), average],
    ['max', (x, axis, keepDims) => x.max(axis, keepDims), (list) => Math.max(...list)],
    ['variance', (x, axis, keepDims = false) => x.variance(axis, { keepDims }), spread],
  ])('%s', (name, reduce, definition) => {
    it('reduces over the given axes, and over all axes by default', () => {
      fc.assert(
        fc.property(reductions, ({ shape, axes, fromTheBack, seed }) => {
          const x = drawn(shape, seed);
          const named = axes?.map((axis) => (fromTheBack ? axis - shape.length : axis));
          const meant = axes ?? shape.map((_, axis) => axis);
          const expected = groups(x, meant).map(definition);
          const y = reduce(x, named);
          expect(y.shape).toEqual(shape.filter((_, axis) => !meant.includes(axis)));
          values(y).forEach((value, i) => expect(value).toBeCloseTo(expected[i], either(12, 5)));
          const kept = reduce(x, named, true);
          expect(kept.shape).toEqual(shape.map((n, axis) => (meant.includes(axis) ? 1 : n)));
          values(kept).forEach((value, i) => expect(value).toBeCloseTo(expected[i], either(12, 5)));
        }),
      );
    });

    it('refuses axes that do not exist or appear twice', () => {
      const x = drawn([2, 3], 1);
      for (const axis of [2, -3, 0.5, NaN]) {
        expectError(() => reduce(x, [axis]), ShapeError, new RegExp(`: no axis ${axis} in shape \\[2, 3\\]`));
      }
      expectError(() => reduce(x, [0, 0]), ShapeError, /an axis is given twice: \[0, 0\]/);
      expectError(() => reduce(x, [1, -1]), ShapeError, /an axis is given twice: \[1, -1\]/);
      expectError(
        () => reduce(wide(1), [0]),
        ShapeError,
        /: no axis 0 in shape \[\]\. Hint: a scalar has no axes/,
      );
    });

    it('over an empty list of axes keeps the shape; a scalar has one group', () => {
      const x = drawn([2, 3], 1);
      const alone = groups(x, []).map(definition);
      expect([reduce(x, []).shape, values(reduce(x, []))]).toEqual([[2, 3], alone]);
      expect(reduce(wide(3)).item()).toBe(definition([3]));
    });

    it(`errors name the method: ${name}`, () => {
      if (name === 'variance') expect(() => reduce(wide([1]), [1])).toThrow(/^(variance|mean): no axis 1/);
      else expect(() => reduce(wide([1]), [1])).toThrow(`${name}: no axis 1`);
    });
  });

  describe('variance', () => {
    it('divides by n, or by n − 1 if unbiased', () => {
      const x = wide([
        [1, 2, 3, 4],
        [2, 2, 2, 6],
      ]);
      expect(x.variance(1).toArray()).toEqual([1.25, 3]);
      expect(values(x.variance(1, { unbiased: true }))[1]).toBeCloseTo(4, either(14, 6));
      expect(x.variance(1, { unbiased: true, keepDims: true }).shape).toEqual([2, 1]);
      expect(x.variance(undefined, { unbiased: true }).item()).toBeCloseTo(2.5, either(14, 6));
    });

    it('refuses one value if unbiased, and zero values', () => {
      expectError(() => wide([1]).variance(0, { unbiased: true }), ValueError, /variance: only one value/);
      expectError(
        () => wide([[1, 2]]).variance(0, { unbiased: true }),
        ValueError,
        /variance: only one value/,
      );
      expectError(() => wide([]).variance(), ValueError, /no values/);
    });

    it('refuses an unknown option', () => {
      const misspelt = { unbaised: true } as VarianceOptions;
      expectError(() => wide([1, 2]).variance(0, misspelt), ValueError, /variance: unknown option: unbaised/);
    });

    it('is accurate at an offset of 1e6 in float32', () => {
      const x = tensor(Float64Array.from({ length: 1024 }, (_, i) => 1e6 + (i % 4)));
      expect(x.variance().item()).toBeCloseTo(1.25, 5);
    });

    it('is not negative, and almost 0 for equal values', () => {
      const value = fc.float({ min: -1e6, max: 1e6, noNaN: true });
      fc.assert(
        fc.property(value, fc.integer({ min: 1, max: 60 }), fc.constantFrom(...dtypes), (v, n, dtype) => {
          const variance = full([n], v, { dtype }).variance().item();
          expect(variance).toBeGreaterThanOrEqual(0);
          expect(variance).toBeLessThanOrEqual((1e-7 * v) ** 2);
        }),
      );
    });
  });

  describe('mean', () => {
    it('of equal values with an exact sum is that value', () => {
      for (let n = 1; n <= 200; n++) {
        for (const dtype of dtypes) {
          expect(full([n], 3, { dtype }).mean().item()).toBe(3);
        }
      }
    });

    it('refuses zero values', () => {
      expectError(() => wide([]).mean(), ValueError, /mean: no values: shape \[0\]/);
      expectError(() => wide([[], []]).mean(1), ValueError, /mean: no values: shape \[2, 0\]/);
    });
  });

  describe('max and argmax', () => {
    it('refuse an empty axis', () => {
      expectError(() => wide([]).max(), ShapeError, /max: axis 0 of \[0\] is empty/);
      expectError(() => wide([[], []]).max(1), ShapeError, /max: axis 1 of \[2, 0\] is empty/);
      expectError(() => wide([[], []]).argmax(1), ShapeError, /argmax: axis 1 of \[2, 0\] is empty/);
    });

    it('argmax returns the first maximum along an axis, counted from either end', () => {
      const x = wide([
        [1, 5, 5],
        [7, 0, 7],
      ]);
      expect(x.argmax(1).toArray()).toEqual([1, 0]);
      expect(x.argmax(-2).toArray()).toEqual([1, 0, 1]);
      expect(wide([1, NaN, 2]).argmax(0).toArray()).toBe(1);
      expectError(() => x.argmax(2), ShapeError, /argmax: no axis 2/);
    });

    it('the gradient of max goes to the first maximum', () => {
      const x = tensor(
        [
          [1, 5, 5],
          [7, 0, 7],
        ],
        { requiresGrad: true },
      );
      x.max(1).sum().backward();
      expect(x.grad?.toArray()).toEqual([
        [0, 1, 0],
        [1, 0, 0],
      ]);
    });

    it('the gradient of max over all axes goes to one element', () => {
      const x = tensor(
        [
          [3, 3],
          [3, 3],
        ],
        { requiresGrad: true },
      );
      x.max().backward();
      expect(x.grad?.toArray()).toEqual([
        [1, 0],
        [0, 0],
      ]);
    });
  });

  it('softmax and logSoftmax refuse axes that do not exist', () => {
    expectError(() => wide([[1]]).softmax(2), ShapeError, /softmax: no axis 2 in shape \[1, 1\]/);
    expectError(() => wide(1).logSoftmax(0), ShapeError, /logSoftmax: no axis 0 in shape \[\]/);
  });
});
