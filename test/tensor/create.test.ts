/** Creating tensors. */
import { describe, expect, it } from 'vitest';
import { arange, eye, full, ones, randn, tensor, uniform, zeros } from '../../src/index.ts';
import { wide } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

onDevices(({ device, dtype }) => {
  describe('tensor accepts', () => {
    it('a number: a tensor of shape []', () => {
      const x = tensor(3);
      expect([x.shape, x.size, x.item(), x.toArray()]).toEqual([[], 1, 3, 3]);
    });

    it('nested arrays: the nesting gives the shape', () => {
      const nested = [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ];
      const x = tensor(nested);
      expect(x.shape).toEqual([1, 3, 2]);
      expect(x.toArray()).toEqual(nested);
    });

    it('empty arrays', () => {
      expect(tensor([]).shape).toEqual([0]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
      expect(tensor([[], []]).toArray()).toEqual([[], []]);
      expect(tensor([[[]]]).shape).toEqual([1, 1, 0]);
    });

    it('typed arrays of any number type', () => {
      for (const type of [
        Float32Array,
        Float64Array,
        Int8Array,
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
      ]) {
        const x = tensor(new type([1, 2, 100]));
        expect([x.shape, x.dtype, x.toArray()]).toEqual([[3], 'float32', [1, 2, 100]]);
      }
    });

    it('a view of a part of a buffer', () => {
      const buffer = Float32Array.from([0, 1, 2, 3]);
      expect(tensor(buffer.subarray(1, 3)).toArray()).toEqual([1, 2]);
    });

    it('a shape option', () => {
      expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArray()).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { shape: [4, 1] },
        ).toArray(),
      ).toEqual([[1], [2], [3], [4]]);
      expect(tensor([5], { shape: [] }).toArray()).toBe(5);
      expect(tensor(new Uint8Array(0), { shape: [3, 0, 2] }).shape).toEqual([3, 0, 2]);
    });

    it('NaN, infinities and −0', () => {
      expect(tensor([NaN, Infinity, -Infinity, -0]).toArray()).toEqual([NaN, Infinity, -Infinity, -0]);
    });
  });

  describe('a tensor is', () => {
    it('float32 and without gradient by default', () => {
      const x = tensor([0.1]);
      expect([x.dtype, x.device, x.requiresGrad, x.grad]).toEqual(['float32', device, false, null]);
      expect(x.item()).toBe(Math.fround(0.1));
      expect(x.dataSync()).toBeInstanceOf(Float32Array);
    });

    it('a copy: later changes of the source do not affect it', () => {
      const [array, typed, shape] = [[1, 2], Float32Array.from([1, 2]), [2, 1]];
      const [a, b] = [tensor(array, { shape }), tensor(typed)];
      array[0] = 9;
      typed[0] = 9;
      shape[0] = 9;
      expect(a.toArray()).toEqual([[1], [2]]);
      expect(b.toArray()).toEqual([1, 2]);
    });
  });

  describe('filled tensors', () => {
    it('zeros, ones and full', () => {
      expect(zeros([2, 2]).toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(ones([1, 3]).toArray()).toEqual([[1, 1, 1]]);
      expect(full([2], -0.5).toArray()).toEqual([-0.5, -0.5]);
      expect(full([], NaN).item()).toBeNaN();
      expect(zeros([0, 3]).shape).toEqual([0, 3]);
      expect(zeros([]).item()).toBe(0);
    });

    it('the identity', () => {
      expect(eye(3).toArray()).toEqual([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]);
      expect(eye(0).shape).toEqual([0, 0]);
    });

    it('ranges, without the stop', () => {
      expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
      expect(arange(2, 5).toArray()).toEqual([2, 3, 4]);
      expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
      expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
      expect(arange(0, 5, 2).toArray()).toEqual([0, 2, 4]);
      expect(arange(0).shape).toEqual([0]);
      expect(arange(3, 1).shape).toEqual([0]);
      expect(arange(-2).shape).toEqual([0]);
    });

    it('all accept the same options', () => {
      const options = { dtype, requiresGrad: true };
      for (const x of [
        zeros([1], options),
        ones([1], options),
        full([1], 2, options),
        eye(1, options),
        arange(0, 1, 1, options),
        randn([1], options),
        uniform([1], 0, 1, options),
      ]) {
        expect([x.dtype, x.requiresGrad]).toEqual([dtype, true]);
      }
    });
  });

  describe('reading', () => {
    const x = wide([
      [1, 2],
      [3, 4],
    ]);

    it('gives the values in order, synchronously or asynchronously', async () => {
      expect(Array.from(x.dataSync())).toEqual([1, 2, 3, 4]);
      expect(Array.from(await x.data())).toEqual([1, 2, 3, 4]);
    });

    it('gives copies: writing into them does not change the tensor', async () => {
      x.dataSync()[0] = 9;
      (await x.data())[0] = 9;
      const nested = x.toArray();
      if (Array.isArray(nested)) nested.pop();
      expect(x.toArray()).toEqual([
        [1, 2],
        [3, 4],
      ]);
    });

    it('item returns the single value of a tensor of any rank', () => {
      expect(wide([[[7]]]).item()).toBe(7);
    });
  });
});

inFloat64(() => {
  it('a tensor is float64 if requested', () => {
    const x = tensor([0.1], { dtype: 'float64', requiresGrad: true });
    expect([x.dtype, x.requiresGrad, x.item()]).toEqual(['float64', true, 0.1]);
    expect(x.dataSync()).toBeInstanceOf(Float64Array);
  });

  it('a long range does not accumulate rounding errors', () => {
    const x = arange(0, 100, 0.1, { dtype: 'float64' });
    expect(x.size).toBe(1000);
    expect(x.slice(999).item()).toBe(999 * 0.1);
  });
});
