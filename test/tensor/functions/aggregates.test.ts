/** `min`, `argmin`, `std`, `norm` and `prod`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmin, min, norm, prod, ShapeError, std, ValueError, zeros } from '../../../src/index.ts';
import { gradientMatches } from '../../laws/kernel-laws.ts';
import { inFloat64, onDevices } from '../../on-devices.ts';
import { leaf, values, wide, widest } from '../../tensors.ts';
import { distinct, drawn, seeds, shapes } from '../draw.ts';
import { expectError } from '../expect-error.ts';

const matrix = [
  [3, 1, 2],
  [-4, 0, 5],
];

onDevices(({ either }) => {
  it('min and argmin', () => {
    expect(min(wide(matrix)).item()).toBe(-4);
    expect(min(wide(matrix), 1).toArray()).toEqual([1, -4]);
    expect(min(wide(matrix), 0, true).toArray()).toEqual([[-4, 0, 2]]);
    expect(min(wide(matrix), [0, 1], true).shape).toEqual([1, 1]);
    expect(min(wide([1, NaN])).item()).toBeNaN();
    expect(argmin(wide(matrix), 1).toArray()).toEqual([1, 0]);
    expect(argmin(wide([2, 1, 1]), -1).item()).toBe(1);
    expect(argmin(leaf([2, 1]), 0).requiresGrad).toBe(false);
    const x = leaf([1, 1, 2]);
    min(x).backward();
    expect(values(x.grad).map((g) => g + 0)).toEqual([1, 0, 0]); // the first; −0 + 0 is 0
  });

  it('std', () => {
    expect(std(wide(matrix), 1).toArray()).toEqual(wide(matrix).variance(1).sqrt().toArray());
    expect(std(wide([1, 3]), 0, { unbiased: true }).item()).toBeCloseTo(Math.SQRT2, either(15, 6));
    expect(std(wide(matrix), 0, { keepDims: true }).shape).toEqual([1, 3]);
  });

  it('norm', () => {
    expect(norm(wide([3, -4])).item()).toBe(5);
    expect(norm(wide([[3, 4], [0, 0]]), 1).toArray()).toEqual([5, 0]); // prettier-ignore
    expect(norm(wide(matrix), [0, 1], true).shape).toEqual([1, 1]);
  });

  it('std and norm have the gradient 0 where they are 0, as in PyTorch', () => {
    for (const fn of [std, norm]) {
      const x = leaf(fn === std ? [2, 2, 2] : [0, 0, 0]);
      fn(x).backward();
      expect(values(x.grad)).toEqual([0, 0, 0]);
    }
    const rows = leaf([[0, 0], [3, 4]]); // prettier-ignore
    norm(rows, 1).sum().backward();
    expect(values(rows.grad).map((value) => Number(value.toFixed(6)))).toEqual([0, 0, 0.6, 0.8]);
  });

  it('prod, at any length', () => {
    for (let n = 1; n <= 9; n++) {
      const factors = Array.from({ length: n }, (_, i) => i + 1);
      expect(prod(wide(factors)).item()).toBe(factors.reduce((product, factor) => product * factor, 1));
    }
    expect(prod(wide(matrix), 0).toArray()).toEqual([-12, 0, 10]);
    expect(prod(wide(matrix), 1, true).toArray()).toEqual([[6], [-0]]);
    expect(prod(wide(matrix), [-1, 0]).item()).toBe(-0);
    expect(prod(wide(7)).item()).toBe(7);
  });

  it('prod has the right gradient where values are 0', () => {
    const gradients = (data: number[]) => {
      const x = leaf(data);
      prod(x).backward();
      return values(x.grad);
    };
    expect(gradients([0, 3, 5, 2])).toEqual([30, 0, 0, 0]);
    expect(gradients([0, 3, 0, 2])).toEqual([0, 0, 0, 0]);
  });

  it('over no values: sums are 0, products 1, minima errors', () => {
    const empty = zeros([2, 0], { dtype: widest(), requiresGrad: true });
    expect(prod(empty, 1).toArray()).toEqual([1, 1]);
    expect(prod(empty).item()).toBe(1);
    expect(prod(empty, 0).shape).toEqual([0]);
    expect(norm(empty, 1).toArray()).toEqual([0, 0]);
    norm(empty).backward();
    expect(empty.grad?.shape).toEqual([2, 0]);
    expectError(() => min(empty, 1), ShapeError, /empty/);
    expectError(() => argmin(empty, 1), ShapeError, /empty/);
    expectError(() => std(empty), ValueError, /no values/);
  });

  it('name what is wrong', () => {
    const x = wide(matrix);
    expectError(() => min(x, 2), ShapeError, /^min: no axis 2/);
    expectError(() => argmin(x, 2), ShapeError, /^argmin: no axis 2/);
    expectError(() => norm(x, [0, 0]), ShapeError, /^norm: an axis is given twice/);
    expectError(() => prod(x, 1.5), ShapeError, /^prod: no axis 1.5/);
    expectError(() => std(x, 0, { biased: true } as object), ValueError, /^std: unknown option: biased/);
    for (const fn of [min, argmin, std, norm, prod] as ((x: unknown, axis: number) => unknown)[]) {
      for (const wrong of [3, null, undefined, [1, 2], 'x']) {
        expectError(() => fn(wrong, 0), ValueError, /: x is .*a tensor is expected/);
      }
    }
  });
});

inFloat64(() => {
  const reductions = shapes(1).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.oneof(
        fc.constant(undefined),
        fc.subarray(shape.map((_, axis) => axis)),
        fc.integer({ min: -shape.length, max: shape.length - 1 }),
      ),
      keepDims: fc.boolean(),
      seed: seeds,
    }),
  );

  describe('gradients of', () => {
    it.each([
      ['min', min, distinct],
      ['prod', prod, drawn],
      ['norm', norm, drawn],
    ] as const)('%s', (_name, fn, draw) => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => fn(x, axis, keepDims),
          inputs: [draw(shape, seed)],
        })),
        60,
      );
    });

    it('std', () => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => std(x, axis === undefined ? axis : -1, { keepDims }),
          inputs: [distinct([...shape, 3], seed)],
        })),
        60,
      );
    });
  });
});
