import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossEntropy, gradcheck, type Labels, tensor, zeros } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose, expectToBecome } from './helpers.ts';
import { drawn, extent, seeds } from '../tensor/draw.ts';
import { wide, leaf, values } from '../tensors.ts';
import { inAllPrecisions, inFloat64, inPage, onDevices } from '../on-devices.ts';

inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-10, 1e-6);

  it(`loss and gradient of crossEntropy agree with PyTorch to ${tolerance}`, async () => {
    const cases = golden('cross-entropy').crossEntropy;
    expect(cases).toHaveLength(54);
    for (const { options, logits, labels, loss, g, dlogits } of cases) {
      const z = goldenTensor(logits, { dtype, requiresGrad: true });
      const { weight, ...others } = options;
      const y = crossEntropy(z, labels.data, { ...others, ...(weight && { weight: weight.data }) });
      await expectToBecome(y, loss, tolerance);
      y.backward(goldenTensor(g, { dtype }));
      await expectToBecome(z.grad, dlogits, tolerance);
    }
  });

  it('crossEntropy is finite and accurate for logits of ±1e4', async () => {
    const z = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [-1e4, -1e4, -1e4]], { dtype, requiresGrad: true }); // prettier-ignore
    const losses = crossEntropy(z, [0, 1, 2], { reduction: 'none' });
    await expectToBecome(losses, [0, 2e4, Math.log(3)], 1e-6);
    losses.sum().backward();
    await expectToBecome(z.grad, [0, 0, 0, 1, -1, 0, 1 / 3, 1 / 3, -2 / 3], 1e-6);
    const smoothed = crossEntropy(z, [0, 1, 2], { reduction: 'none', labelSmoothing: 0.3 });
    await expectToBecome(smoothed, [0.1 * 2e4 + 0.1 * 1e4, 0.8 * 2e4 + 0.1 * 1e4, Math.log(3)], 1e-6);
  });
});

const logits = [
  [0.5, -1, 2],
  [1.5, 0.25, -0.75],
  [-2, 1, 0.1],
  [0.3, 3, 1],
];

onDevices(({ dtype, either }) => {
  describe('the gradient of crossEntropy', () => {
    it('is (softmax − onehot) / batch', () => {
      const z = leaf(logits);
      crossEntropy(z, [0, 2, 1, 2]).backward();
      const onehot = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
      expectClose(z.grad, wide(logits).softmax(1).sub(wide(onehot)).div(4), either(1e-14, 1e-6));
    });
  });

  describe('crossEntropy', () => {
    it('is −ln softmax at the label, and ln K for equal logits with any smoothing', () => {
      const z = wide([[2, 0, -1], [0, 1, 3]]); // prettier-ignore
      const logp = values(z.logSoftmax(1));
      expectClose(crossEntropy(z, [0, 1], { reduction: 'none' }), [-logp[0], -logp[4]], either(1e-14, 1e-6));
      for (const labelSmoothing of [0, 0.3]) {
        const equal = crossEntropy(wide([[5, 5, 5, 5]]), [2], { labelSmoothing });
        expect(equal.item()).toBeCloseTo(Math.log(4), either(12, 6));
      }
    });

    it('does not change when a number is added to all logits of a row', () => {
      const row = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 3, maxLength: 3 });
      fc.assert(
        fc.property(row, fc.integer({ min: -1e4, max: 1e4 }), fc.nat({ max: 2 }), (z, shift, label) => {
          const loss = crossEntropy(wide([z]), [label]).item();
          const shifted = crossEntropy(wide([z.map((value) => value + shift)]), [label]).item();
          expect(shifted).toBeCloseTo(loss, either(9, 4));
        }),
      );
    });

    // Skipped on GPUs: in float32, 1 + e⁻²⁰ is 1.
    it.skipIf(inPage)('is accurate for a small loss and large logits', () => {
      const z = tensor([[1e6 + 20, 1e6]], { dtype });
      const exact = Math.log1p(Math.exp(-20)); // the loss of [20, 0]
      expect(Math.abs(crossEntropy(z, [0]).item() - exact)).toBeLessThan(1e-15);
    });

    it.skipIf(inPage)('is accurate for confident and correct predictions, also with large logits', () => {
      for (const offset of [0, 1e4]) {
        const loss = crossEntropy(wide([[offset, offset + 20]]), [1]).item();
        expect(loss).toBeCloseTo(Math.exp(-20), 11);
      }
    });

    it('is the mean over the labels that are not ignored, by default', () => {
      const z = wide([[2, 0], [1, 3], [0, 5]]); // prettier-ignore
      const labels = [0, -100, 0];
      const [a, ignored, c] = values(crossEntropy(z, labels, { reduction: 'none' }));
      expect(ignored).toBe(0);
      expect(crossEntropy(z, labels).item()).toBeCloseTo((a + c) / 2, either(14, 6));
      expect(crossEntropy(z, labels, { reduction: 'sum' }).item()).toBeCloseTo(a + c, either(14, 6));
      expect(crossEntropy(z, labels).shape).toEqual([]);
    });

    it('copies the labels: changing them before backward() has no effect', () => {
      const labels = new Int32Array([0, 1]);
      const gradient = (change: boolean) => {
        const z = leaf([[2, 0], [1, 3]]); // prettier-ignore
        const loss = crossEntropy(z, labels);
        if (change) labels.fill(0);
        loss.backward();
        return values(z.grad);
      };
      expect(gradient(false)).toEqual(gradient(true));
    });

    it('ignored rows have gradient 0; the sum over ignored rows is 0', () => {
      const z = leaf([[2, 0], [1, 3]]); // prettier-ignore
      crossEntropy(z, [1, -1], { ignoreIndex: -1, labelSmoothing: 0.2 }).backward();
      expect(values(z.grad).slice(2)).toEqual([0, 0]);
      expect(Math.abs(values(z.grad)[0])).toBeGreaterThan(0.1);
      const nothing = crossEntropy(z, [1, 1], { ignoreIndex: 1, reduction: 'sum' });
      expect(nothing.item()).toBe(0);
      z.grad = null;
      nothing.backward();
      expect(values(z.grad)).toEqual([0, 0, 0, 0]);
    });

    it('is 0, with gradient 0, as a mean over nothing: all labels are ignored, or have weight 0', () => {
      const weight = [0, 1, 2];
      for (const labelSmoothing of [0, 0.3, 1]) {
        for (const [labels, options] of [
          [[-100, -100], {}],
          [[1, 1], { ignoreIndex: 1 }],
          [[-100, -100], { weight }],
          [[0, 0], { weight }],
          [[0, -100], { weight }],
        ] as const) {
          const z = leaf([[2, 0, 1], [1, 3, 9]]); // prettier-ignore
          const loss = crossEntropy(z, labels, { ...options, labelSmoothing });
          expect(loss.item()).toBeCloseTo(0, 300);
          loss.backward();
          for (const dz of values(z.grad)) expect(dz).toBeCloseTo(0, 300);
        }
      }
    });

    it('with equal class weights is the mean without any, whatever the weight', () => {
      const row = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 3, maxLength: 3 });
      const examples = fc.array(fc.tuple(row, fc.constantFrom(0, 1, 2, -100)), {
        minLength: 1,
        maxLength: 9,
      });
      fc.assert(
        fc.property(
          examples,
          fc.double({ min: 0.01, max: 100, noNaN: true }),
          fc.constantFrom(0, 0.2, 1),
          (both, w, s) => {
            const [z, labels] = [wide(both.map(([row]) => row)), both.map(([, label]) => label)];
            const weighted = crossEntropy(z, labels, { weight: [w, w, w], labelSmoothing: s });
            expectClose(
              weighted,
              values(crossEntropy(z, labels, { labelSmoothing: s })),
              either(1e-12, 1e-5),
            );
          },
        ),
      );
    });

    it('with class weights is the mean over each row as many times as the weight of its class', () => {
      const z = [[2, 0, 1], [1, 3, 0], [0, 5, 4], [-1, 2, 2]]; // prettier-ignore
      const [labels, weight] = [
        [0, 2, 1, 2],
        [1, 2, 3],
      ];
      const repeated = labels.flatMap((label, i) => Array<number>(weight[label]).fill(i));
      for (const labelSmoothing of [0, 1e-9]) {
        const weighted = crossEntropy(wide(z), labels, { weight, labelSmoothing });
        const rows = crossEntropy(
          wide(repeated.map((i) => z[i])),
          repeated.map((i) => labels[i]),
        );
        expectClose(weighted, values(rows), either(1e-7, 1e-6));
      }
    });

    it('does not depend on the values of ignored rows, with class weights and smoothing too', () => {
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const options = { reduction, weight: [1, 3], labelSmoothing: 0.2 };
        const run = (first: number, labels: readonly number[]) => {
          const z = leaf([[first, 1], [2, -1], [first, 0]]); // prettier-ignore
          const loss = crossEntropy(z, labels, options);
          loss.sum().backward();
          return [loss.toArray(), (z.grad?.toArray() ?? []) as number[][]] as const;
        };
        const labels = [-100, 1, -100];
        for (const value of [NaN, Infinity, -Infinity]) {
          const [[found, gradient], [expected, finite]] = [run(value, labels), run(5, labels)];
          expect(found).toEqual(expected);
          expect(gradient.flat().map(Math.abs)).toEqual(finite.flat().map(Math.abs));
          const none = run(value, [-100, -100, -100]);
          expect(none.flat(3).every((x) => x === 0)).toBe(true);
        }
      }
    });

    it('takes class weights as arrays, typed arrays and tensors', () => {
      const z = wide([[2, 0, 1], [1, 3, 0]]); // prettier-ignore
      const kinds = [[1, 0.5, 3], new Float32Array([1, 0.5, 3]), tensor([1, 0.5, 3]), wide([1, 0.5, 3])];
      const losses = kinds.map((weight) => crossEntropy(z, [1, 2], { weight }).item());
      for (const loss of losses) expect(loss).toBe(losses[0]);
    });

    it('of no rows is a sum of 0 or no losses, and has an empty gradient', () => {
      for (const options of [
        {},
        { labelSmoothing: 0.1 },
        { weight: [1, 2, 3] },
        { weight: [1, 2, 3], labelSmoothing: 0.1 },
      ]) {
        for (const [reduction, shape, expected] of [
          ['sum', [], [0]],
          ['none', [0], []],
        ] as const) {
          // prettier-ignore
          const z = zeros([0, 3], { dtype, requiresGrad: true });
          const losses = crossEntropy(z, [], { ...options, reduction });
          expect(losses.shape).toEqual(shape);
          expect(values(losses)).toEqual(expected);
          losses.sum().backward();
          expect(z.grad?.shape).toEqual([0, 3]);
        }
      }
    });

    it('accepts labels as arrays, typed arrays and tensors', () => {
      const z = wide([[2, 0, 1], [1, 3, 0], [0, 5, 4]]); // prettier-ignore
      const kinds: Labels[] = [
        [0, 2, 1],
        new Uint8Array([0, 2, 1]),
        new Int32Array([0, 2, 1]),
        new Float32Array([0, 2, 1]),
        tensor([0, 2, 1]),
        wide([0, 2, 1]),
      ];
      const losses = kinds.map((labels) => values(crossEntropy(z, labels, { reduction: 'none' })));
      for (const loss of losses) expect(loss).toEqual(losses[0]);
    });
  });
});

inFloat64(() => {
  const options = (['mean', 'sum', 'none'] as const).flatMap((reduction) =>
    [0, 0.1, 1].flatMap((labelSmoothing) =>
      [-100, 2].map((ignoreIndex) => ({ reduction, labelSmoothing, ignoreIndex })),
    ),
  );

  it.each(options)(
    'crossEntropy passes the gradient check: $reduction, smoothing $labelSmoothing, ignoring $ignoreIndex',
    (o) => {
      expect(gradcheck((z) => crossEntropy(z, [0, 2, 1, 2], o), [leaf(logits)])).toBe(true);
    },
  );

  it('crossEntropy passes the gradient check with class weights, for any sizes and options', () => {
    const cases = extent.chain((classes) =>
      fc.record({
        labels: fc.array(fc.constantFrom(-100, ...Array(classes).keys()), { minLength: 1, maxLength: 5 }),
        weight: fc.array(fc.constantFrom(0, 0.5, 1, 3), { minLength: classes, maxLength: classes }),
        reduction: fc.constantFrom('mean', 'sum', 'none'),
        labelSmoothing: fc.constantFrom(0, 0.1, 1),
        seed: seeds,
      }),
    );
    fc.assert(
      fc.property(cases, ({ labels, seed, ...o }) => {
        const z = drawn([labels.length, o.weight.length], seed);
        expect(gradcheck((x) => crossEntropy(x, labels, o), [z])).toBe(true);
      }),
    );
  });
});
