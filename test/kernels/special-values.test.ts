/** NaN, infinities and signed zeros. */
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { devices } from '../laws/kernel-laws.ts';
import { computeOn } from './compute.ts';

describe.each(devices)('on $name', (on) => {
  const compute = computeOn(on);
  const specials = [NaN, Infinity, -Infinity, 0, -0, 1, -1];

  describe('relu', () => {
    it('keeps NaN, and turns −0 into 0', async () => {
      expect(await compute(kernels.relu, [specials])).toEqual([NaN, Infinity, 0, 0, 0, 1, 0]);
    });

    it('has gradient 0 at 0, and passes the gradient on at NaN', async () => {
      const g = specials.map(() => 3);
      expect(await compute(kernels.reluDx, [g, specials])).toEqual([3, 3, 0, 0, 0, 3, 0]);
    });

    it('has gradient 0 below 0, however large the incoming gradient is', async () => {
      expect(
        await compute(kernels.reluDx, [
          [Infinity, NaN],
          [-1, -1],
        ]),
      ).toEqual([0, 0]);
    });
  });

  it('leakyRelu keeps NaN and −0, and uses the slope at 0', async () => {
    const params = { slope: 0.5 };
    expect(await compute(kernels.leakyRelu, [specials], params)).toEqual([
      NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      1,
      -0.5,
    ]);
    expect(
      await compute(
        kernels.leakyReluDx,
        [
          [2, 2, 2],
          [0, 1, -1],
        ],
        params,
      ),
    ).toEqual([1, 2, 1]);
  });

  describe('maximum', () => {
    it('is NaN if either input is NaN', async () => {
      expect(
        await compute(kernels.maximum, [
          [NaN, 1, NaN, -Infinity],
          [1, NaN, NaN, 2],
        ]),
      ).toEqual([NaN, NaN, NaN, 2]);
    });

    it('treats 0 as larger than −0', async () => {
      expect(
        await compute(kernels.maximum, [
          [-0, 0, -0],
          [0, -0, -0],
        ]),
      ).toEqual([0, 0, -0]);
    });

    it('splits the gradient at a tie, also of infinities', async () => {
      const a = [1, Infinity, 0, 2];
      const b = [1, Infinity, -0, 3];
      expect(await compute(kernels.maximumDx, [[4, 4, 4, 4], a, b])).toEqual([2, 2, 2, 0]);
      expect(await compute(kernels.maximumDx, [[4, 4, 4, 4], b, a])).toEqual([2, 2, 2, 4]);
    });
  });

  describe('the maximum along an axis', () => {
    const params = { axis: 0 };

    it('is NaN if any value is NaN, at any place', async () => {
      for (const x of [
        [NaN, 1, 2],
        [1, NaN, 2],
        [1, 2, NaN],
        [Infinity, NaN, 2],
      ]) {
        expect(await compute(kernels.maxAxis, [x], params)).toEqual([NaN]);
      }
    });

    it('of nothing but −∞ is −∞', async () => {
      expect(await compute(kernels.maxAxis, [[-Infinity, -Infinity]], params)).toEqual([-Infinity]);
    });

    it('is at the first NaN, otherwise at the first of equal values', async () => {
      const place = (x: number[]) => compute(kernels.argmaxAxis, [x], params);
      expect(await place([1, 5, 5, 2])).toEqual([1]);
      expect(await place([1, NaN, 9, NaN])).toEqual([1]);
      expect(await place([NaN, 9])).toEqual([0]);
      expect(await place([9, NaN])).toEqual([1]);
      expect(await place([-Infinity, -Infinity])).toEqual([0]);
      expect(await place([-Infinity, Infinity, Infinity])).toEqual([1]);
      expect(await place([0, -0])).toEqual([0]);
    });
  });

  describe('powers', () => {
    it('have gradient 0 for the power 0, also at 0 and at infinity', async () => {
      const params = { power: 0 };
      expect(
        await compute(
          kernels.powDx,
          [
            [1, 1, 1],
            [0, Infinity, 2],
          ],
          params,
        ),
      ).toEqual([0, 0, 0]);
    });

    it('have gradient 1 for the power 1, also at 0', async () => {
      expect(
        await compute(
          kernels.powDx,
          [
            [1, 1],
            [0, -0],
          ],
          { power: 1 },
        ),
      ).toEqual([1, 1]);
    });

    it('of negative numbers are NaN unless the power is an integer', async () => {
      expect(await compute(kernels.pow, [[-8, -2]], { power: 3 })).toEqual([-512, -8]);
      expect(await compute(kernels.pow, [[-8, -2]], { power: 0.5 })).toEqual([NaN, NaN]);
    });
  });

  // WGSL does not define log 0. SwiftShader returns −88, the logarithm of a number too small for float32.
  it.skipIf(on.isGpu)('the logarithm of 0 is −∞', async () => {
    expect(await compute(kernels.log, [[0]])).toEqual([-Infinity]);
  });

  it('logarithms and roots are NaN below 0, and infinite at infinity', async () => {
    expect(await compute(kernels.log, [[-1, Infinity]])).toEqual([NaN, Infinity]);
    expect(await compute(kernels.sqrt, [[0, -1, Infinity]])).toEqual([0, NaN, Infinity]);
  });

  it('a quotient by 0 is infinite, and 0/0 is NaN', async () => {
    expect(
      await compute(kernels.div, [
        [1, -1, 0, 1],
        [0, 0, 0, -0],
      ]),
    ).toEqual([Infinity, -Infinity, NaN, -Infinity]);
  });

  it('sigmoid and tanh saturate instead of overflowing, and keep NaN', async () => {
    const x = [800, -800, Infinity, -Infinity, NaN];
    expect(await compute(kernels.sigmoid, [x])).toEqual([1, 0, 1, 0, NaN]);
    expect(await compute(kernels.tanh, [x])).toEqual([1, -1, 1, -1, NaN]);
  });

  it('the absolute value has gradient 0 at 0 and −0', async () => {
    expect(await compute(kernels.abs, [[-0, -3, -Infinity, NaN]])).toEqual([0, 3, Infinity, NaN]);
    expect(
      (
        await compute(kernels.absDx, [
          [5, 5, 5],
          [0, -0, -2],
        ])
      ).map(Math.abs),
    ).toEqual([0, 0, 5]);
  });

  it.skipIf(on.isGpu)('a sum is rounded once, at the end', async () => {
    // 1 + 2⁻²⁴ + 2⁻²⁴ in float32 steps stays 1; summed in float64 it is 1 + 2⁻²³.
    expect(await compute(kernels.sumAxis, [[1, 2 ** -24, 2 ** -24]], { axis: 0 })).toEqual([1 + 2 ** -23]);
  });

  it('centeredMoment is never negative, and keeps NaN', async () => {
    expect(
      await compute(kernels.centeredMoment, [
        [1, 4, NaN],
        [2, 1, 0],
      ]),
    ).toEqual([0, 3, NaN]);
  });
});
