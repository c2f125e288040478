import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gradcheck, huber, mse, tensor, zeros } from '../../src/index.ts';
import { counting } from '../../src/training/counting.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { inAllPrecisions, inFloat64, onDevices } from '../on-devices.ts';
import { drawn, seeds, shapes } from '../tensor/draw.ts';
import { leaf, values, wide } from '../tensors.ts';
import { expectClose, expectToBecome } from './helpers.ts';

inAllPrecisions(({ dtype, either }) => {
  it.each(golden('huber').cases)('huber agrees with PyTorch: $name', async (example) => {
    const { options, predictions, targets, loss, g, dpredictions } = example;
    const prediction = goldenTensor(predictions, { dtype, requiresGrad: true });
    const y = huber(prediction, goldenTensor(targets, { dtype }), options);
    await expectToBecome(y, loss, either(1e-10, 1e-6));
    y.backward(goldenTensor(g, { dtype }));
    await expectToBecome(prediction.grad, dpredictions, either(1e-10, 1e-6));
  });
});

onDevices(({ dtype, either }) => {
  it('huber is half of mse for a large delta, and delta·|d| for a small one', () => {
    const [a, b] = [wide([[1, -2], [3, 4]]), wide([[0, 1], [5, 4]])]; // prettier-ignore
    expectClose(huber(a, b, { delta: 100 }).mul(2), values(mse(a, b)), either(1e-14, 1e-6));
    expectClose(huber(a, b, { delta: 1e-6 }).div(1e-6), [1.5], 1e-5);
  });

  it('huber has a gradient of at most delta per value, which is finite for an error of 1e6', () => {
    const prediction = leaf([1e6, -1e6, 0, 0.5]);
    const loss = huber(prediction, [0, 0, 0, 0], { reduction: 'sum' });
    loss.backward();
    expect(values(prediction.grad)).toEqual([1, -1, 0, 0.5]);
    expect(counting(() => huber(prediction, [0, 0, 0, 0])).count).toBe(4);
  });

  it('huber takes arrays, and no values in a sum', () => {
    const prediction = leaf([[1], [4]]); // prettier-ignore
    for (const target of [[0, 1], [[0], [1]], new Float32Array([0, 1]), wide([[0], [1]])]) {
      expect(values(huber(prediction, target, { reduction: 'none' }))).toEqual([0.5, 2.5]);
    }
    const nothing = zeros([0, 2], { dtype, requiresGrad: true });
    const sum = huber(nothing, [], { reduction: 'sum' });
    expect(sum.item()).toBe(0);
    sum.backward();
    expect(nothing.grad?.shape).toEqual([0, 2]);
  });
});

inFloat64(() => {
  it('huber passes the gradient check for both arguments, for any shapes', () => {
    fc.assert(
      fc.property(
        shapes(),
        seeds,
        fc.constantFrom('mean', 'sum', 'none'),
        fc.constantFrom(0.25, 1, 3),
        (shape, seed, reduction, delta) => {
          const target = drawn(shape, seed);
          // Errors that are neither 0 nor delta, where the second derivative jumps.
          const error = drawn(
            shape,
            seed + 1,
            (random, i) => (i % 2 ? -delta : delta) * (random() < 0.5 ? 0.4 : 1.7),
          );
          const prediction = tensor(target.add(error).dataSync(), {
            shape,
            dtype: 'float64',
            requiresGrad: true,
          });
          expect(gradcheck((x, y) => huber(x, y, { reduction, delta }), [prediction, target])).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});
