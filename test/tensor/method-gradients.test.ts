/** The gradients of tensor methods that are composed of several ops. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, type Tensor } from '../../src/index.ts';
import { gradientMatches } from '../laws/kernel-laws.ts';
import { awayFromZero, broadcastable, distinct, drawn, seeds, shapes } from './draw.ts';
import { values, leaf, f64 } from '../tensors.ts';
import { inFloat64 } from '../on-devices.ts';

inFloat64(() => {
  /** A shape, and an axis argument: undefined, a number or a list, counted from either end. */
  const reductions = shapes().chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.oneof(
        fc.constant(undefined),
        fc.subarray(shape.map((_, axis) => axis)),
        fc.subarray(shape.map((_, axis) => axis - shape.length)),
        ...(shape.length === 0 ? [] : [fc.integer({ min: -shape.length, max: shape.length - 1 })]),
      ),
      keepDims: fc.boolean(),
      seed: seeds,
    }),
  );

  /** Reductions in which each group has more than one value. */
  const several = reductions.filter(({ shape, axis }) => {
    const axes = typeof axis === 'number' ? [axis] : (axis ?? shape.map((_, i) => i));
    return axes.some((at) => (shape.at(at) ?? 1) > 1);
  });

  describe('reductions over any axes', () => {
    it('sum', () => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => x.sum(axis, keepDims),
          inputs: [drawn(shape, seed)],
        })),
        60,
      );
    });

    it('mean', () => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => x.mean(axis, keepDims),
          inputs: [drawn(shape, seed)],
        })),
        60,
      );
    });

    it('max', () => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => x.max(axis, keepDims),
          inputs: [distinct(shape, seed)],
        })),
        60,
      );
    });

    it('variance, biased', () => {
      gradientMatches(
        reductions.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => x.variance(axis, { keepDims }),
          inputs: [drawn(shape, seed)],
        })),
        60,
      );
    });

    it('variance, unbiased', () => {
      gradientMatches(
        several.map(({ shape, axis, keepDims, seed }) => ({
          fn: (x) => x.variance(axis, { keepDims, unbiased: true }),
          inputs: [drawn(shape, seed)],
        })),
        60,
      );
    });
  });

  describe('operands that broadcast', () => {
    const methods: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
      add: (a, b) => a.add(b),
      sub: (a, b) => a.sub(b),
      mul: (a, b) => a.mul(b),
      div: (a, b) => a.div(b),
    };

    it.each(Object.entries(methods))('%s', (_name, fn) => {
      gradientMatches(
        fc
          .tuple(broadcastable, seeds)
          .map(([{ a, b }, seed]) => ({ fn, inputs: [drawn(a, seed), drawn(b, seed + 1, awayFromZero)] })),
        60,
      );
    });

    it('maximum', () => {
      gradientMatches(
        fc.tuple(broadcastable, seeds).map(([{ a, b }, seed]) => ({
          fn: (x, y) => x.maximum(y),
          inputs: [distinct(a, seed), distinct(b, seed + 1, 1 / 8)],
        })),
        60,
      );
    });

    it('one tensor as both operands', () => {
      gradientMatches(
        fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
          fn: (x) =>
            x
              .mul(x)
              .add(x)
              .sub(x.div(x.mul(x).add(1))),
          inputs: [drawn(shape, seed)],
        })),
      );
    });

    it.each<[string, (x: Tensor) => Tensor]>([
      ['add', (x) => x.add(3)],
      ['sub', (x) => x.sub(3)],
      ['mul', (x) => x.mul(-0.5)],
      ['div', (x) => x.div(4)],
      ['maximum', (x) => x.maximum(0)],
      ['neg', (x) => x.neg()],
      ['leakyRelu with its default', (x) => x.leakyRelu()],
    ])('numbers: %s', (_name, fn) => {
      gradientMatches(
        fc
          .tuple(shapes(), seeds)
          .map(([shape, seed]) => ({ fn, inputs: [drawn(shape, seed, awayFromZero)] })),
      );
    });
  });

  describe('selection', () => {
    it('slice over several axes, with negative indices', () => {
      gradientMatches(
        fc.tuple(fc.constantFrom([3, 4, 5], [3, 2, 4]), seeds).map(([shape, seed]) => ({
          fn: (x) => x.slice([1, 0, -3], [3, -1]),
          inputs: [drawn(shape, seed)],
        })),
      );
    });

    it('gather with repeated rows', () => {
      const x = leaf([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      x.gather([2, 0, 2, 2])
        .mul(
          f64([
            [1, 10],
            [2, 20],
            [3, 30],
            [4, 40],
          ]),
        )
        .sum()
        .backward();
      expect(values(x.grad)).toEqual([2, 20, 0, 0, 8, 80]);
    });

    it('concat of three tensors, where the middle one needs no gradient', () => {
      const [a, b, c] = [
        leaf([[1], [2]]),
        f64([
          [3, 4],
          [5, 6],
        ]),
        leaf([[7], [8]]),
      ];
      concat([a, b, c], 1)
        .mul(
          f64([
            [1, 2, 3, 4],
            [5, 6, 7, 8],
          ]),
        )
        .sum()
        .backward();
      expect(values(a.grad)).toEqual([1, 5]);
      expect(b.grad).toBeNull();
      expect(values(c.grad)).toEqual([4, 8]);
    });

    it('concat of a tensor with itself', () => {
      gradientMatches(
        fc.tuple(shapes(1), seeds).map(([shape, seed]) => ({
          fn: (x) => concat([x, x.mul(2), x], -1),
          inputs: [drawn(shape, seed)],
        })),
      );
    });
  });

  it('a small network from input to loss', () => {
    gradientMatches(
      seeds.map((seed) => ({
        fn: (x, w, b, v) => x.matmul(w).add(b).tanh().matmul(v.transpose()).logSoftmax(-1).slice(1).mean(),
        inputs: [drawn([3, 4], seed), drawn([4, 5], seed + 1), drawn([5], seed + 2), drawn([2, 5], seed + 3)],
      })),
    );
  });
});
