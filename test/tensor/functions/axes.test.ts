/** `stack`, `squeeze`, `unsqueeze`, `permute` and `bmm`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bmm,
  permute,
  ShapeError,
  squeeze,
  stack,
  type Tensor,
  unsqueeze,
  ValueError,
  zeros,
} from '../../../src/index.ts';
import { gradientMatches } from '../../laws/kernel-laws.ts';
import { inFloat64, onDevices } from '../../on-devices.ts';
import { leaf, values, wide, widest } from '../../tensors.ts';
import { drawn, indices, seeds, shapes } from '../draw.ts';
import { expectError } from '../expect-error.ts';

/** A shape of rank 0 to 4 with an order of its axes. */
const permutations = fc.array(fc.constantFrom(1, 2, 3, 4), { maxLength: 4 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.shuffledSubarray(
      shape.map((_, axis) => axis),
      { minLength: shape.length },
    ),
    seed: seeds,
  }),
);

onDevices(({ either }) => {
  describe('stack', () => {
    it('joins along a new axis at any place', () => {
      const [a, b] = [wide([1, 2, 3]), wide([4, 5, 6])];
      expect(stack([a, b]).toArray()).toEqual([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      for (const axis of [1, -1]) {
        expect(stack([a, b], axis).toArray()).toEqual([
          [1, 4],
          [2, 5],
          [3, 6],
        ]);
      }
      expect(stack([wide(1), wide(2)]).toArray()).toEqual([1, 2]);
      expect(stack([a]).shape).toEqual([1, 3]);
    });

    it('refuses other shapes, no tensors, and axes that do not exist', () => {
      const x = wide([1, 2]);
      expectError(() => stack([x, wide([1])]), ShapeError, /the shapes differ: \[2\] and \[1\]/);
      expectError(() => stack([]), ShapeError, /^stack: no tensors/);
      expectError(() => stack([x], 2), ShapeError, /^stack: no axis 2/);
      expectError(() => stack([x], '0' as never), ShapeError, /^stack: no axis/);
      expectError(() => stack(x as never), ValueError, /^stack: tensors is a tensor of shape \[2\]/);
      expectError(() => stack([x, [1, 2]] as never), ValueError, /^stack: tensors\[1\] is /);
    });
  });

  describe('squeeze and unsqueeze', () => {
    it('remove and insert axes of extent 1', () => {
      const x = zeros([2, 1, 3, 1], { dtype: widest() });
      expect(squeeze(x).shape).toEqual([2, 3]);
      expect(squeeze(x, 1).shape).toEqual([2, 3, 1]);
      expect(squeeze(x, [-1, 1]).shape).toEqual([2, 3]);
      expect(squeeze(wide([[5]])).item()).toBe(5);
      expect(unsqueeze(wide([1, 2]), 0).shape).toEqual([1, 2]);
      expect(unsqueeze(wide([1, 2]), 1).shape).toEqual([2, 1]);
      expect(unsqueeze(wide([1, 2]), -2).shape).toEqual([1, 2]);
      expect(unsqueeze(wide(3), 0).shape).toEqual([1]);
    });

    it('refuse axes that do not exist or are wider', () => {
      const x = zeros([2, 1], { dtype: widest() });
      expectError(() => squeeze(x, 0), ShapeError, /axis 0 of shape \[2, 1\] has extent 2/);
      expectError(() => squeeze(x, 2), ShapeError, /^squeeze: no axis 2/);
      expectError(() => squeeze(x, null as never), ShapeError, /^squeeze: no axis null/);
      expectError(() => squeeze(x, '1' as never), ShapeError, /^squeeze: no axis/);
      expectError(() => unsqueeze(x, 3), ShapeError, /^unsqueeze: no axis 3/);
      expectError(() => unsqueeze(x, undefined as never), ShapeError, /^unsqueeze: no axis undefined/);
      expectError(() => squeeze([1] as never), ValueError, /^squeeze: x is /);
      expectError(() => unsqueeze(null as never, 0), ValueError, /^unsqueeze: x is null/);
    });
  });

  describe('permute', () => {
    it('puts axis axes[i] of x at place i', () => {
      fc.assert(
        fc.property(permutations, ({ shape, axes, seed }) => {
          const x = drawn(shape, seed);
          const y = permute(x, axes);
          expect(y).not.toBe(x);
          expect(y.shape).toEqual(axes.map((axis) => shape[axis]));
          const at = (of: Tensor, index: readonly number[]) =>
            of.dataSync()[index.reduce((place, i, axis) => place * of.shape[axis] + i, 0)];
          for (const index of indices(shape)) {
            expect(
              at(
                y,
                axes.map((axis) => index[axis]),
              ),
            ).toBe(at(x, index));
          }
        }),
      );
    });

    it('counts negative axes from the last, and takes tensors of no elements', () => {
      expect(permute(zeros([2, 3, 4]), [-1, 0, 1]).shape).toEqual([4, 2, 3]);
      expect(permute(zeros([2, 0, 4]), [2, 0, 1]).shape).toEqual([4, 2, 0]);
    });

    it('refuses what is not each axis once', () => {
      const x = zeros([2, 3]);
      for (const axes of [[0], [0, 0], [0, -2], [], 1, '10', null, undefined, { 0: 1 }]) {
        expectError(() => permute(x, axes as never), ShapeError, /^permute: axes .* for shape \[2, 3\]/);
      }
      expectError(() => permute(x, [0, 2]), ShapeError, /^permute: no axis 2/);
      expectError(() => permute([[1]] as never, [1, 0]), ValueError, /^permute: x is /);
    });
  });

  describe('bmm', () => {
    it('multiplies each pair of matrices', () => {
      const sizes = fc.record({
        s: fc.constantFrom(1, 2, 5),
        m: fc.constantFrom(1, 3),
        k: fc.constantFrom(1, 2, 9),
        n: fc.constantFrom(1, 4),
        seed: seeds,
      });
      fc.assert(
        fc.property(sizes, ({ s, m, k, n, seed }) => {
          const [a, b] = [drawn([s, m, k], seed), drawn([s, k, n], seed + 1)];
          const y = bmm(a, b);
          expect(y.shape).toEqual([s, m, n]);
          const one = (x: Tensor, i: number) => squeeze(x.slice(i, i + 1), 0);
          const each = Array.from({ length: s }, (_, i) => values(one(a, i).matmul(one(b, i))));
          values(y).forEach((value, i) => {
            expect(value).toBeCloseTo(each.flat()[i], either(12, 4));
          });
        }),
      );
    });

    it('takes stacks of no matrices', () => {
      const [a, b] = [
        zeros([0, 2, 3], { dtype: widest(), requiresGrad: true }),
        zeros([0, 3, 4], { dtype: widest() }),
      ];
      const y = bmm(a, b);
      expect(y.shape).toEqual([0, 2, 4]);
      y.sum().backward();
      expect(a.grad?.shape).toEqual([0, 2, 3]);
    });

    it('refuses other shapes', () => {
      const x = zeros([2, 3, 4]);
      for (const other of [zeros([2, 3, 4]), zeros([3, 4, 5]), zeros([4, 5]), zeros([])]) {
        expectError(() => bmm(x, other), ShapeError, /^bmm: shapes \[2, 3, 4\] and /);
      }
      expectError(() => bmm(zeros([3, 4]), x), ShapeError, /^bmm: shapes/);
      expectError(() => bmm(x, [[[1]]] as never), ValueError, /^bmm: b is /);
    });
  });

  it('all have gradients', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    permute(stack([x, x.mul(10)]), [2, 0, 1])
      .mul(wide([[[1]], [[2]]]))
      .sum()
      .backward();
    expect(values(x.grad)).toEqual([11, 22, 11, 22]);
  });
});

inFloat64(() => {
  describe('gradients of', () => {
    it('stack', () => {
      gradientMatches(
        fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
          fn: (x, y) => stack([x, y, x.mul(3)], -1),
          inputs: [drawn(shape, seed), drawn(shape, seed + 1)],
        })),
      );
    });

    it('squeeze and unsqueeze', () => {
      gradientMatches(
        fc
          .tuple(shapes(), seeds)
          .map(([shape, seed]) => ({ fn: (x) => squeeze(unsqueeze(x, -1)), inputs: [drawn(shape, seed)] })),
      );
    });

    it('permute', () => {
      gradientMatches(
        permutations.map(({ shape, axes, seed }) => ({
          fn: (x) => permute(x, axes),
          inputs: [drawn(shape, seed)],
        })),
        60,
      );
    });

    it('bmm', () => {
      gradientMatches(
        seeds.map((seed) => ({ fn: bmm, inputs: [drawn([3, 2, 4], seed), drawn([3, 4, 5], seed + 1)] })),
      );
    });
  });
});
