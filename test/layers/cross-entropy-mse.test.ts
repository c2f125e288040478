/** The mean squared error. Its goldens are in cross-entropy.json. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gradcheck, mse, type Targets, zeros } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose, expectToBecome } from './helpers.ts';
import { inAllPrecisions, inFloat64, onDevices } from '../on-devices.ts';
import { leaf, values, wide } from '../tensors.ts';

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

onDevices(({ dtype }) => {
  it('mse takes the target as a flat array, nested arrays or a tensor, with the same bits', () => {
    const rows = [[1, 2.5], [3, -4], [0, 1]]; // prettier-ignore
    const targets: Targets[] = [
      rows,
      rows.flat(),
      new Float64Array(rows.flat()),
      Object.assign({ length: 6 }, rows.flat()),
      wide(rows),
      rows.map((row) => new Float64Array(row)),
    ];
    const results = targets.map((target) => {
      const prediction = leaf([[0.5, 1], [-1, 2], [7, 8]]); // prettier-ignore
      const loss = mse(prediction, target);
      loss.backward();
      return [loss.item(), ...values(prediction.grad)];
    });
    for (const result of results) expect(result).toEqual(results[0]);
    expect(mse(wide([[1], [2]]), [3, 5]).item()).toBe(6.5); // the labels that fit passes
    expect(mse(wide(1), [3]).item()).toBe(4);
  });

  it('mse of no values is a sum of 0 or no losses, and has an empty gradient', () => {
    const reductions = [['sum', [0]], ['none', []]] as const; // prettier-ignore
    for (const [reduction, expected] of reductions) {
      for (const target of [[], new Float32Array(0), zeros([0, 2], { dtype })]) {
        const prediction = zeros([0, 2], { dtype, requiresGrad: true });
        const losses = mse(prediction, target, { reduction });
        expect(values(losses)).toEqual(expected);
        losses.sum().backward();
        expect(prediction.grad?.shape).toEqual([0, 2]);
      }
    }
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
