/** Softmax and cross-entropy where a naive form overflows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { compute } from './compute.ts';

const dtypes = ['float32', 'float64'] as const;

describe.each(dtypes)('in %s', (dtype) => {
  const options = { params: { axis: 0 }, dtype };

  it('softmax of logits of ±1e6 is finite and right', () => {
    expect(compute(kernels.softmax, [[1e6, -1e6, 0]], options)).toEqual([1, 0, 0]);
    expect(compute(kernels.softmax, [[-1e6, -1e6]], options)[0]).toBeCloseTo(0.5, 7);
    expect(compute(kernels.softmax, [[1e6, 1e6]], options)[1]).toBeCloseTo(0.5, 7);
  });

  it('logSoftmax of logits of ±1e6 is finite and right', () => {
    expect(compute(kernels.logSoftmax, [[1e6, -1e6, 0]], options)).toEqual([0, -2e6, -1e6]);
  });

  it('cross-entropy of logits of ±1e6 is finite and right, and so is its gradient', () => {
    const logits = { shape: [3, 2], data: [1e6, -1e6, -1e6, 1e6, 1e6, 1e6] };
    const call = { params: { smoothing: 0 }, dtype };
    const [right, wrong, even] = compute(kernels.crossEntropy, [logits, [0, 0, 1]], call);
    expect([right, wrong]).toEqual([0, 2e6]);
    expect(even).toBeCloseTo(Math.LN2, 6);
    const gradient = compute(kernels.crossEntropyDx, [[1, 1, 1], logits, [0, 0, 1]], call);
    expect(gradient.slice(0, 4)).toEqual([0, 0, -1, 1]);
    expect(gradient[4]).toBeCloseTo(0.5, 6);
    expect(gradient[5]).toBeCloseTo(-0.5, 6);
  });

  it('a −∞ among the logits has the probability 0', () => {
    expect(compute(kernels.softmax, [[-Infinity, 3]], options)).toEqual([0, 1]);
    expect(compute(kernels.logSoftmax, [[-Infinity, 3]], options)).toEqual([-Infinity, 0]);
  });

  it('a NaN among the logits makes all of its row NaN, and no other row', () => {
    const x = { shape: [2, 2], data: [NaN, 1, 0, 0] };
    const [a, b, c, d] = compute(kernels.softmax, [x], { params: { axis: 1 }, dtype });
    expect([a, b]).toEqual([NaN, NaN]);
    expect(c).toBeCloseTo(0.5, 7);
    expect(d).toBeCloseTo(0.5, 7);
  });
});

const logits = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 });
const params = { axis: 0 };

it('the digits of small differences are kept beside a large maximum', () => {
  const x = [1e6, 1e6, 1e6 - 1];
  const total = 2 + Math.exp(-1);
  expect(compute(kernels.softmax, [x], { params })[0]).toBeCloseTo(1 / total, 15);
  expect(compute(kernels.logSoftmax, [x], { params })[0]).toBeCloseTo(-Math.log(total), 15);
  const call = { params: { smoothing: 0 } };
  const [loss] = compute(kernels.crossEntropy, [{ shape: [1, 3], data: x }, [2]], call);
  expect(loss).toBeCloseTo(1 + Math.log(total), 14);
});

it('probabilities add up to 1, whatever the logits', () => {
  fc.assert(
    fc.property(logits, (x) => {
      const y = compute(kernels.softmax, [x], { params });
      expect(y.every((p) => p >= 0)).toBe(true);
      expect(y.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    }),
  );
});

it('logSoftmax is the logarithm of softmax where that has one', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1 }), (x) => {
      const [y, logs] = [kernels.softmax, kernels.logSoftmax].map((kernel) =>
        compute(kernel, [x], { params }),
      );
      logs.forEach((log, k) => expect(log).toBeCloseTo(Math.log(y[k]), 9));
    }),
  );
});

it('the loss is 0 and has no gradient where the label is ignored, NaN among the logits or not', () => {
  const z = { shape: [2, 2], data: [NaN, 1, 2, 2] };
  const call = { params: { smoothing: 0.1 } };
  expect(compute(kernels.crossEntropy, [z, [-1, 0]], call)[0]).toBe(0);
  expect(compute(kernels.crossEntropyDx, [[1, 1], z, [-1, 0]], call).slice(0, 2)).toEqual([0, 0]);
});
