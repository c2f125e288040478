import { describe, expect, it } from 'vitest';
import { linspace, oneHot, ShapeError, tensor, ValueError } from '../../../src/index.ts';
import { onDevices } from '../../on-devices.ts';
import { wide } from '../../tensors.ts';
import { expectError } from '../expect-error.ts';

onDevices(({ dtype }) => {
  describe('oneHot', () => {
    it('makes a row for each label', () => {
      const rows = [
        [0, 1, 0],
        [1, 0, 0],
      ];
      for (const labels of [[1, 0], Uint8Array.of(1, 0), wide([1, 0])]) {
        expect(oneHot(labels, 3).toArray()).toEqual(rows);
      }
      expect(oneHot(wide([[1, 0]]), 3).toArray()).toEqual([rows]);
      expect(oneHot([], 3).shape).toEqual([0, 3]);
      expect(oneHot([1], 2, { dtype }).dtype).toBe(dtype);
    });

    it('refuses labels that are no class', () => {
      for (const label of [-1, 3, 0.5, NaN, '1', null, undefined, 1n]) {
        expectError(() => oneHot([0, label] as never, 3), ValueError, /^oneHot: label 1 is .*0 to 2/);
      }
      for (const labels of [1, null, undefined, 'abc', {}, new DataView(new ArrayBuffer(8))]) {
        expectError(() => oneHot(labels as never, 3), ValueError, /^oneHot: labels is /);
      }
      for (const classes of [0, 2.5, undefined, '3']) {
        expectError(() => oneHot([0], classes as never), ValueError, /^oneHot: classes is /);
      }
      expectError(() => oneHot([0], 2, { dType: 'float32' } as object), ValueError, /unknown option/);
    });
  });

  describe('linspace', () => {
    it('includes both ends', () => {
      expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
      expect(linspace(2, -2, 3).toArray()).toEqual([2, 0, -2]);
      expect(linspace(3, 4, 1).toArray()).toEqual([3]);
      expect(linspace(3, 4, 0).shape).toEqual([0]);
      const thirds = linspace(0.1, 0.7, 4, { dtype }).dataSync();
      expect([thirds[0], thirds[3]]).toEqual([...tensor([0.1, 0.7], { dtype }).dataSync()]);
    });

    it('refuses what is not a number, and a count that is none', () => {
      expectError(() => linspace(NaN, 1, 2), ValueError, /^linspace: start is NaN/);
      expectError(() => linspace(0, Infinity, 2), ValueError, /^linspace: stop is Infinity/);
      for (const count of [-1, 1.5, undefined, '3']) {
        expectError(() => linspace(0, 1, count as never), ValueError, /^linspace: count is /);
      }
      expectError(() => linspace(0, 1, 2 ** 40), ShapeError, /^linspace: /);
    });
  });
});
