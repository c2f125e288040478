/** Methods that change the shape of a tensor or select elements. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, ShapeError, type Tensor, ValueError } from '../../src/index.ts';
import { broadcastAt, drawn, indices, seeds, shapeAndAxis, shapes } from './draw.ts';
import { wide, values } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { onDevices } from '../on-devices.ts';

onDevices(() => {
  /** The element at an index. */
  const at = (x: Tensor, index: readonly number[]) => broadcastAt(x, index);

  describe('reshape', () => {
    const x = wide([
      [1, 2, 3],
      [4, 5, 6],
    ]);

    it('keeps the order of the values', () => {
      expect(x.reshape([3, 2]).toArray()).toEqual([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      expect(x.reshape([6]).toArray()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(wide([7]).reshape([]).toArray()).toBe(7);
      expect(wide(7).reshape([1, 1]).toArray()).toEqual([[7]]);
    });

    it('infers an extent of −1', () => {
      expect(x.reshape([-1]).shape).toEqual([6]);
      expect(x.reshape([3, -1]).shape).toEqual([3, 2]);
      expect(x.reshape([-1, 6]).shape).toEqual([1, 6]);
      expect(wide([]).reshape([-1]).shape).toEqual([0]);
      expect(wide([]).reshape([-1, 3]).shape).toEqual([0, 3]);
    });

    it.each([[[4]], [[-1, 4]], [[-1, -1]], [[-1, 0]], [[]], [[2.5, -1]], [[-2, -3]], [[-6, -1]], [[NaN]]])(
      'refuses %j for six values',
      (shape) => {
        expectError(() => x.reshape(shape), ShapeError, /^reshape: /);
      },
    );

    it('refuses −1 next to an extent of 0: any value would fit', () => {
      expectError(() => wide([]).reshape([0, -1]), ShapeError, /^reshape: not a shape: \[0, -1\]/);
    });

    it('copies the shape argument', () => {
      const shape = [3, 2];
      const y = x.reshape(shape);
      shape[0] = 9;
      expect(y.shape).toEqual([3, 2]);
    });
  });

  it('flatten returns one axis', () => {
    expect(drawn([2, 3, 4], 1).flatten().shape).toEqual([24]);
    expect(drawn([2, 3], 1).flatten().shape).toEqual([6]);
    expect(drawn([5], 1).flatten().shape).toEqual([5]);
    expect(drawn([], 1).flatten().shape).toEqual([1]);
    expect(drawn([0, 3], 1).flatten().shape).toEqual([0]);
  });

  describe('transpose', () => {
    it('swaps the last two axes', () => {
      fc.assert(
        fc.property(shapes(2), seeds, (shape, seed) => {
          const x = drawn(shape, seed);
          const y = x.transpose();
          expect(y.shape).toEqual([...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]]);
          for (const index of indices(y.shape)) {
            const [j, i] = index.slice(-2);
            expect(at(y, index)).toBe(at(x, [...index.slice(0, -2), i, j]));
          }
          expect(values(y.transpose())).toEqual(values(x));
        }),
      );
    });

    it('refuses fewer than two axes', () => {
      expectError(() => wide([1]).transpose(), ShapeError, /transpose: fewer than two axes: \[1\]/);
      expectError(() => wide(1).transpose(), ShapeError, /transpose: fewer than two axes: \[\]/);
    });
  });

  describe('slice', () => {
    const x = wide([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);

    it('slices the first axis like an array', () => {
      expect(x.slice(1).toArray()).toEqual([
        [4, 5, 6],
        [7, 8, 9],
      ]);
      expect(x.slice(0, 1).toArray()).toEqual([[1, 2, 3]]);
      expect(x.slice(-1).toArray()).toEqual([[7, 8, 9]]);
      expect(x.slice(0, -2).toArray()).toEqual([[1, 2, 3]]);
      expect(x.slice(3).shape).toEqual([0, 3]);
      expect(x.slice(1, 1).shape).toEqual([0, 3]);
    });

    it('slices several axes', () => {
      expect(x.slice([1, 0], [3, 2]).toArray()).toEqual([
        [4, 5],
        [7, 8],
      ]);
      expect(x.slice([0, -1]).toArray()).toEqual([[3], [6], [9]]);
      expect(x.slice([], [2, 1]).toArray()).toEqual([[1], [4]]);
      expect(x.slice([]).toArray()).toEqual(x.toArray());
    });

    it('agrees with Array.prototype.slice for any range inside the axis', () => {
      fc.assert(
        fc.property(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }), (begin, end) => {
          const list = [1, 2, 3, 4, 5];
          fc.pre((begin + 5) % 5 <= (end < 0 ? end + 5 : end) && begin < 5);
          expect(wide(list).slice(begin, end).toArray()).toEqual(list.slice(begin, end));
        }),
      );
    });

    it('refuses ranges outside the axis', () => {
      expectError(() => x.slice(4), ShapeError, /slice: index 4 is outside an axis of 3/);
      expectError(() => x.slice(-4), ShapeError, /slice: index -4 is outside/);
      expectError(() => x.slice(0, 4), ShapeError, /slice: index 4 is outside/);
      expectError(() => x.slice(2, 1), ShapeError, /slice: range 2…1 is not inside axis 0/);
      expectError(() => x.slice(0.5), ShapeError, /slice: index 0\.5/);
      expectError(() => x.slice([0, 0, 0]), ShapeError, /slice: 3 ranges for shape \[3, 3\]/);
      expectError(() => wide(1).slice(0), ShapeError, /slice: 1 ranges for shape \[\]/);
    });
  });

  describe('gather', () => {
    it('selects entries of the first axis, in any order and repeatedly', () => {
      const x = wide([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      expect(x.gather([2, 0, 2]).toArray()).toEqual([
        [5, 6],
        [1, 2],
        [5, 6],
      ]);
      expect(x.gather(Uint8Array.from([1])).toArray()).toEqual([[3, 4]]);
      expect(x.gather([]).shape).toEqual([0, 2]);
      expect(wide([7, 8]).gather([1, 1, 0]).toArray()).toEqual([8, 8, 7]);
      expect(drawn([3, 2, 2], 1).gather([0]).shape).toEqual([1, 2, 2]);
    });

    it('refuses invalid indices', () => {
      const x = wide([1, 2, 3]);
      for (const row of [3, -1, 0.5, NaN, Infinity]) {
        expectError(
          () => x.gather([0, row]),
          ValueError,
          new RegExp(`gather: index ${row} into shape \\[3\\]`),
        );
      }
      expectError(() => wide([]).gather([0]), ValueError, /gather: index 0 into shape \[0\]/);
      expectError(() => wide(1).gather([0]), ShapeError, /gather: a scalar has no entries/);
    });
  });

  describe('concat', () => {
    it('joins tensors along any axis', () => {
      expect(
        concat(
          [
            wide([[1], [2]]),
            wide([
              [3, 4],
              [5, 6],
            ]),
          ],
          1,
        ).toArray(),
      ).toEqual([
        [1, 3, 4],
        [2, 5, 6],
      ]);
      expect(concat([wide([1]), wide([]), wide([2, 3])], 0).toArray()).toEqual([1, 2, 3]);
      expect(concat([wide([[1]]), wide([[2]])], -1).shape).toEqual([1, 2]);
      expect(concat([wide([1])], 0).toArray()).toEqual([1]);
    });

    it('is the inverse of slicing', () => {
      fc.assert(
        fc.property(shapeAndAxis, fc.nat(), seeds, ({ shape, axis }, place, seed) => {
          const x = drawn(shape, seed);
          const cut = place % (shape[axis] + 1);
          const whole = shape.map(() => 0);
          const parts = [x.slice(whole, shape.with(axis, cut)), x.slice(whole.with(axis, cut))];
          const y = concat(parts, axis);
          expect(y.shape).toEqual(shape);
          expect(values(y)).toEqual(values(x));
        }),
      );
    });

    it('refuses an empty list, missing axes and shapes that do not fit', () => {
      expectError(() => concat([], 0), ShapeError, /concat: no tensors/);
      expectError(() => concat([wide(1)], 0), ShapeError, /concat: no axis 0 in shape \[\]/);
      expectError(() => concat([wide([1])], 1), ShapeError, /concat: no axis 1 in shape \[1\]/);
      expectError(
        () => concat([wide([[1, 2]]), wide([[1]])], 0),
        ShapeError,
        /concat: \[1, 1\] does not fit \[1, 2\] along axis 0/,
      );
      expectError(
        () => concat([wide([[1]]), wide([1])], 0),
        ShapeError,
        /concat: \[1\] does not fit \[1, 1\]/,
      );
    });
  });

  it('matmul refuses operands that are not matrices or do not fit, and names both shapes', () => {
    const [a, b] = [drawn([2, 3], 1), drawn([4, 5], 1)];
    expectError(
      () => a.matmul(b),
      ShapeError,
      /inner sizes differ: \[2, 3\] has 3 on axis 1, \[4, 5\] has 4 on axis 0/,
    );
    expectError(() => a.matmul(wide([1, 2, 3])), ShapeError, /two matrices are needed: \[2, 3\] and \[3\]/);
  });
});
