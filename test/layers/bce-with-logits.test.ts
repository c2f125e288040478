import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bceWithLogits, crossEntropy, gradcheck, tensor, type Targets, zeros } from '../../src/index.ts';
import { counting } from '../../src/training/counting.ts';
import { golden, type GoldenArray, goldenTensor } from '../golden-files.ts';
import { inAllPrecisions, inFloat64, inPage, onDevices } from '../on-devices.ts';
import { broadcastable, drawn, seeds, shapes } from '../tensor/draw.ts';
import { leaf, values, wide } from '../tensors.ts';
import { expectClose, expectToBecome } from './helpers.ts';

/** Nested arrays: weights that every device can check. */
function nested({ shape, data }: GoldenArray): number[] | number[][] {
  if (shape.length === 1) return [...data];
  return Array.from({ length: shape[0] }, (_, i) => data.slice(i * shape[1], (i + 1) * shape[1]));
}

inAllPrecisions(({ dtype, either }) => {
  it.each(golden('bce-with-logits').cases)('bceWithLogits agrees with PyTorch: $name', async (example) => {
    const { reduction, weight, posWeight } = example.options;
    const z = goldenTensor(example.z, { dtype, requiresGrad: true });
    const loss = bceWithLogits(z, example.y.data, {
      reduction,
      ...(weight && { weight: nested(weight) }),
      ...(posWeight && { posWeight: nested(posWeight) }),
    });
    await expectToBecome(loss, example.loss, either(1e-10, 1e-6));
    loss.backward(goldenTensor(example.g, { dtype }));
    await expectToBecome(z.grad, example.dz, either(1e-10, 1e-6));
  });
});

onDevices(({ dtype, either }) => {
  describe('bceWithLogits', () => {
    it('is finite and accurate for logits of ±1e4, also where the sigmoid rounds to 0 or 1', () => {
      const z = leaf([1e4, 1e4, -1e4, -1e4]);
      const losses = bceWithLogits(z, [1, 0, 1, 0], { reduction: 'none' });
      expectClose(losses, [0, 1e4, 1e4, 0], 1e-6);
      losses.sum().backward();
      expectClose(z.grad, [0, 1, -1, 0], 1e-6);
    });

    // Skipped on GPUs: in float32, 1 + e⁻²⁰ is 1.
    it.skipIf(inPage)('keeps the digits of small losses and of their gradients', () => {
      const z = leaf([20, -20, 15, -15]);
      const losses = bceWithLogits(z, [1, 0, 1, 0], { reduction: 'none' });
      const exact = [20, 20, 15, 15].map((x) => Math.log1p(Math.exp(-x)));
      values(losses).forEach((loss, i) => expect(loss / exact[i]).toBeCloseTo(1, either(7, 5)));
      losses.sum().backward();
      const slopes = [-1, 1, -1, 1].map((sign, i) => sign / (1 + Math.exp([20, 20, 15, 15][i])));
      values(z.grad).forEach((dz, i) => expect(dz / slopes[i]).toBeCloseTo(1, either(6, 5)));
    });

    it('is the cross-entropy of two classes whose logits are 0 and z', () => {
      const logits = [0.5, -3, 2, 7];
      const labels = [1, 0, 0, 1];
      const pairs = wide(logits.map((z) => [0, z]));
      const loss = bceWithLogits(wide(logits), labels);
      expectClose(loss, values(crossEntropy(pairs, labels)), either(1e-14, 1e-6));
    });

    it('takes targets as a flat array, nested arrays or a tensor, with the same bits', () => {
      const targets: Targets[] = [[1, 0, 0.25], [[1], [0], [0.25]], new Float32Array([1, 0, 0.25]), wide([[1], [0], [0.25]])]; // prettier-ignore
      const results = targets.map((y) => {
        const z = leaf([[0.5], [2], [-1]]);
        const loss = bceWithLogits(z, y);
        loss.backward();
        return [loss.item(), ...values(z.grad)];
      });
      for (const result of results) expect(result).toEqual(results[0]);
    });

    it('takes weights as numbers, arrays and tensors whose shape broadcasts', () => {
      const z = wide([[1, 2], [3, 4]]); // prettier-ignore
      const y = [1, 0, 0, 1];
      const plain = values(bceWithLogits(z, y, { reduction: 'none' }));
      const none = (weights: object) => values(bceWithLogits(z, y, { reduction: 'none', ...weights }));
      for (const weight of [2, [2], [2, 2], [[2], [2]], new Float32Array([2, 2]), tensor([2], { dtype })]) {
        expect(none({ weight })).toEqual(plain.map((loss) => 2 * loss));
        expect(none({ posWeight: weight })).toEqual(plain.map((loss, i) => (y[i] === 1 ? 2 : 1) * loss));
      }
      expect(none({ weight: [[0], [1]] })).toEqual([0, 0, plain[2], plain[3]]);
    });

    it('divides its mean by the number of values, also with weights', () => {
      const { result, count } = counting(() => bceWithLogits(wide([[0, 0]]), [1, 0], { weight: [3, 1] }));
      expect(count).toBe(2);
      expect(result.item()).toBeCloseTo(2 * Math.log(2), either(14, 6));
      expect(counting(() => bceWithLogits(wide([0]), [1], { reduction: 'sum' })).count).toBe('sum');
    });

    it('of no values is a sum of 0 or no losses, and has an empty gradient', () => {
      for (const [reduction, expected] of [
        ['sum', [0]],
        ['none', []],
      ] as const) {
        // prettier-ignore
        const z = zeros([0, 1], { dtype, requiresGrad: true });
        const losses = bceWithLogits(z, new Uint8Array(0), { reduction, posWeight: 2 });
        expect(values(losses)).toEqual(expected);
        losses.sum().backward();
        expect(z.grad?.shape).toEqual([0, 1]);
      }
    });
  });
});

inFloat64(() => {
  it('bceWithLogits passes the gradient check, for any shapes', () => {
    const probabilities = (shape: readonly number[], seed: number) =>
      drawn(shape, seed, (random) => 0.1 + 0.8 * random());
    fc.assert(
      fc.property(shapes(), seeds, fc.constantFrom('mean', 'sum', 'none'), (shape, seed, reduction) => {
        const [z, y] = [drawn(shape, seed), probabilities(shape, seed + 1)];
        expect(gradcheck((x, target) => bceWithLogits(x, target, { reduction }), [z, y])).toBe(true);
      }),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(broadcastable, seeds, ({ a, y: shape }, seed) => {
        const z = drawn(shape, seed);
        const weights = { weight: probabilities(a, seed + 2), posWeight: probabilities(a, seed + 3) };
        const y = probabilities(shape, seed + 1).detach();
        expect(gradcheck((x) => bceWithLogits(x, y, weights), [z])).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
