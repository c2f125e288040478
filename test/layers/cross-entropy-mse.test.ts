/** The mean squared error; its goldens are with those of the cross-entropy. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradcheck, mse } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose } from './helpers.ts';
import { f64, leaf } from '../tensors.ts';

describe('mse', () => {
  it.each(golden('cross-entropy').mse)('does what PyTorch does: $name', (example) => {
    const { options, predictions, targets, loss, g, dpredictions } = example;
    for (const [dtype, tolerance] of [
      ['float64', 1e-10],
      ['float32', 1e-6],
    ] as const) {
      // prettier-ignore
      const prediction = goldenTensor(predictions, { dtype, requiresGrad: true });
      const y = mse(prediction, goldenTensor(targets, { dtype }), options);
      expectClose(y, loss, tolerance);
      y.backward(goldenTensor(g, { dtype }));
      expectClose(prediction.grad, dpredictions, tolerance);
    }
  });

  it('is 0 for equal values, and else (1/n) Σ (prediction − target)²', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pairs, (both) => {
        const [a, b] = [both.map(([x]) => x), both.map(([, x]) => x)];
        expect(mse(f64(a), f64(a)).item()).toBe(0);
        const total = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
        expect(mse(f64(a), f64(b)).item()).toBeCloseTo(total / a.length, 9);
        expect(mse(f64(a), f64(b), { reduction: 'sum' }).item()).toBe(total);
      }),
    );
  });

  it.each(['mean', 'sum', 'none'] as const)(
    'passes the gradient check for both arguments: %s',
    (reduction) => {
      const [a, b] = [leaf([[1, 2], [3, -4]]), leaf([[0.5, 1], [-1, 2]])]; // prettier-ignore
      expect(gradcheck((x, y) => mse(x, y, { reduction }), [a, b])).toBe(true);
    },
  );
});
