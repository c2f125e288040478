/** The mean squared error. Its goldens are in cross-entropy.json. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gradcheck, mse } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose, expectToBecome } from './helpers.ts';
import { inAllPrecisions, inFloat64, onDevices } from '../on-devices.ts';
import { leaf, wide } from '../tensors.ts';

inAllPrecisions(({ dtype, either }) => {
  it.each(golden('cross-entropy').mse)('mse agrees with PyTorch: $name', async (example) => {
    const { options, predictions, targets, loss, g, dpredictions } = example;
    const prediction = goldenTensor(predictions, { dtype, requiresGrad: true });
    const y = mse(prediction, goldenTensor(targets, { dtype }), options);
    await expectToBecome(y, loss, either(1e-10, 1e-6));
    y.backward(goldenTensor(g, { dtype }));
    await expectToBecome(prediction.grad, dpredictions, either(1e-10, 1e-6));
  });
});

onDevices(({ either }) => {
  it('mse is (1/n) Σ (prediction − target)², and exactly 0 for equal values', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pairs, (both) => {
        const [a, b] = [both.map(([x]) => x), both.map(([, x]) => x)];
        expect(mse(wide(a), wide(a)).item()).toBe(0);
        const total = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
        expectClose(mse(wide(a), wide(b)), [total / a.length], either(1e-12, 1e-6));
        expect(mse(wide(a), wide(b), { reduction: 'sum' }).item()).toBe(total);
      }),
    );
  });
});

inFloat64(() => {
  it.each(['mean', 'sum', 'none'] as const)(
    'mse passes the gradient check for both arguments: %s',
    (reduction) => {
      const [a, b] = [leaf([[1, 2], [3, -4]]), leaf([[0.5, 1], [-1, 2]])]; // prettier-ignore
      expect(gradcheck((x, y) => mse(x, y, { reduction }), [a, b])).toBe(true);
    },
  );
});
