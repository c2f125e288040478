/** Softmax and cross-entropy with logits for which a naive form overflows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { devices } from '../laws/kernel-laws.ts';
import { computeOn } from './compute.ts';

const alongAxis = { axis: 0 };
const logits = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 });

describe.each(devices)('on $name', (on) => {
  const compute = computeOn(on);
  const either = (float64: number, float32: number) => (on.dtype === 'float64' ? float64 : float32);

  it('softmax of logits of ±1e6 is finite and right', async () => {
    expect(await compute(kernels.softmax, [[1e6, -1e6, 0]], alongAxis)).toEqual([1, 0, 0]);
    expect((await compute(kernels.softmax, [[-1e6, -1e6]], alongAxis))[0]).toBeCloseTo(0.5, 7);
    expect((await compute(kernels.softmax, [[1e6, 1e6]], alongAxis))[1]).toBeCloseTo(0.5, 7);
  });

  it('logSoftmax of logits of ±1e6 is finite and right', async () => {
    expect(await compute(kernels.logSoftmax, [[1e6, -1e6, 0]], alongAxis)).toEqual([0, -2e6, -1e6]);
  });

  it('cross-entropy of logits of ±1e6 is finite and right, and so is its gradient', async () => {
    const z = { shape: [3, 2], data: [1e6, -1e6, -1e6, 1e6, 1e6, 1e6] };
    const plain = { smoothing: 0 };
    const [right, wrong, even] = await compute(kernels.crossEntropy, [z, [0, 0, 1]], plain);
    expect([right, wrong]).toEqual([0, 2e6]);
    expect(even).toBeCloseTo(Math.LN2, 6);
    const gradient = await compute(kernels.crossEntropyDx, [[1, 1, 1], z, [0, 0, 1]], plain);
    expect(gradient.slice(0, 4)).toEqual([0, 0, -1, 1]);
    expect(gradient[4]).toBeCloseTo(0.5, 6);
    expect(gradient[5]).toBeCloseTo(-0.5, 6);
  });

  it('a logit of −∞ has the probability 0', async () => {
    expect(await compute(kernels.softmax, [[-Infinity, 3]], alongAxis)).toEqual([0, 1]);
    expect(await compute(kernels.logSoftmax, [[-Infinity, 3]], alongAxis)).toEqual([-Infinity, 0]);
  });

  it('a NaN among the logits makes its whole row NaN, and no other row', async () => {
    const x = { shape: [2, 2], data: [NaN, 1, 0, 0] };
    const [a, b, c, d] = await compute(kernels.softmax, [x], { axis: 1 });
    expect([a, b]).toEqual([NaN, NaN]);
    expect(c).toBeCloseTo(0.5, 7);
    expect(d).toBeCloseTo(0.5, 7);
  });

  it('small differences keep their digits beside a large maximum', async () => {
    const x = [1e6, 1e6, 1e6 - 1];
    const total = 2 + Math.exp(-1);
    expect((await compute(kernels.softmax, [x], alongAxis))[0]).toBeCloseTo(1 / total, either(15, 6));
    expect((await compute(kernels.logSoftmax, [x], alongAxis))[0]).toBeCloseTo(
      -Math.log(total),
      either(15, 6),
    );
    const [loss] = await compute(kernels.crossEntropy, [{ shape: [1, 3], data: x }, [2]], { smoothing: 0 });
    expect(loss).toBeCloseTo(1 + Math.log(total), either(14, 6));
  });

  // In float32, 1 + e⁻²⁰ is 1.
  it.skipIf(on.isGpu)('a small loss and its gradient keep their digits', async () => {
    const z = { shape: [1, 2], data: [1e4 + 20, 1e4] };
    const small = Math.exp(-20); // the loss, nearly, and the gradient of the other logit
    const [loss] = await compute(kernels.crossEntropy, [z, [0]], { smoothing: 0 });
    const [right, wrong] = await compute(kernels.crossEntropyDx, [[1], z, [0]], { smoothing: 0 });
    for (const value of [loss, -right, wrong]) {
      expect(Math.abs(value / small - 1)).toBeLessThan(1e-6);
    }
  });

  it('probabilities add up to 1, whatever the logits', async () => {
    await fc.assert(
      fc.asyncProperty(logits, async (x) => {
        const y = await compute(kernels.softmax, [x], alongAxis);
        expect(y.every((p) => p >= 0)).toBe(true);
        expect(y.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, either(12, 6));
      }),
    );
  });

  it('logSoftmax is the logarithm of softmax where softmax is not 0', async () => {
    const near = fc.array(fc.double({ min: -40, max: 40, noNaN: true }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(near, async (x) => {
        const y = await compute(kernels.softmax, [x], alongAxis);
        const logs = await compute(kernels.logSoftmax, [x], alongAxis);
        logs.forEach((log, k) => expect(log).toBeCloseTo(Math.log(y[k]), either(9, 4)));
      }),
    );
  });

  it('loss and gradient are 0 for an ignored label, also with NaN among the logits', async () => {
    const z = { shape: [2, 2], data: [NaN, 1, 2, 2] };
    const smoothed = { smoothing: 0.1 };
    expect((await compute(kernels.crossEntropy, [z, [-1, 0]], smoothed))[0]).toBe(0);
    expect((await compute(kernels.crossEntropyDx, [[1, 1], z, [-1, 0]], smoothed)).slice(0, 2)).toEqual([
      0, 0,
    ]);
  });
});
