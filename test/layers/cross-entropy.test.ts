import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossEntropy, gradcheck, type Labels, tensor } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose } from './helpers.ts';
import { f64, leaf, values } from '../tensors.ts';

describe('crossEntropy does what PyTorch does', () => {
  const cases = golden('cross-entropy').crossEntropy;

  it.each([
    { dtype: 'float64', tolerance: 1e-10 },
    { dtype: 'float32', tolerance: 1e-6 },
  ] as const)('to $tolerance in $dtype, loss and gradient', ({ dtype, tolerance }) => {
    expect(cases).toHaveLength(24);
    for (const { options, logits, labels, loss, g, dlogits } of cases) {
      const z = goldenTensor(logits, { dtype, requiresGrad: true });
      const y = crossEntropy(z, labels.data, options);
      expectClose(y, loss, tolerance);
      y.backward(goldenTensor(g, { dtype }));
      expectClose(z.grad, dlogits, tolerance);
    }
  });
});

describe('the gradient of crossEntropy', () => {
  const logits = [
    [0.5, -1, 2],
    [1.5, 0.25, -0.75],
    [-2, 1, 0.1],
    [0.3, 3, 1],
  ];
  const options = (['mean', 'sum', 'none'] as const).flatMap((reduction) =>
    [0, 0.1, 0.9].flatMap((labelSmoothing) =>
      [-100, 2].map((ignoreIndex) => ({ reduction, labelSmoothing, ignoreIndex })),
    ),
  );

  it.each(options)(
    'passes the gradient check: $reduction, smoothing $labelSmoothing, without $ignoreIndex',
    (o) => {
      expect(gradcheck((z) => crossEntropy(z, [0, 2, 1, 2], o), [leaf(logits)])).toBe(true);
    },
  );

  it('is softmax − onehot, over the batch', () => {
    const z = leaf(logits);
    crossEntropy(z, [0, 2, 1, 2]).backward();
    const onehot = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
    expectClose(z.grad, f64(logits).softmax(1).sub(f64(onehot)).div(4), 1e-14);
  });
});

describe('crossEntropy', () => {
  it('is −ln softmax at the label; ln K for equal logits, whatever the smoothing', () => {
    const z = f64([[2, 0, -1], [0, 1, 3]]); // prettier-ignore
    const logp = values(z.logSoftmax(1));
    expectClose(crossEntropy(z, [0, 1], { reduction: 'none' }), [-logp[0], -logp[4]], 1e-14);
    for (const labelSmoothing of [0, 0.3]) {
      const equal = crossEntropy(f64([[5, 5, 5, 5]]), [2], { labelSmoothing });
      expect(equal.item()).toBeCloseTo(Math.log(4), 12);
    }
  });

  it('does not change when a number is added to all logits of a row', () => {
    const row = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(row, fc.integer({ min: -1e4, max: 1e4 }), fc.nat({ max: 2 }), (z, shift, label) => {
        const loss = crossEntropy(f64([z]), [label]).item();
        const shifted = crossEntropy(f64([z.map((value) => value + shift)]), [label]).item();
        expect(shifted).toBeCloseTo(loss, 9);
      }),
    );
  });

  it('keeps the digits of a small loss beside large logits', () => {
    const z = tensor([[1e6 + 20, 1e6]], { dtype: 'float64' });
    const exact = Math.log1p(Math.exp(-20)); // the loss of [20, 0]
    expect(Math.abs(crossEntropy(z, [0]).item() - exact)).toBeLessThan(1e-15);
  });

  it.each(['float32', 'float64'] as const)('stays finite for logits of ±1e4, and right, in %s', (dtype) => {
    const z = tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [-1e4, -1e4, -1e4]], { dtype, requiresGrad: true }); // prettier-ignore
    const losses = crossEntropy(z, [0, 1, 2], { reduction: 'none' });
    expectClose(losses, [0, 2e4, Math.log(3)], 1e-6);
    losses.sum().backward();
    expectClose(z.grad, [0, 0, 0, 1, -1, 0, 1 / 3, 1 / 3, -2 / 3], 1e-6);
    const smoothed = crossEntropy(z, [0, 1, 2], { reduction: 'none', labelSmoothing: 0.3 });
    expectClose(smoothed, [0.1 * 2e4 + 0.1 * 1e4, 0.8 * 2e4 + 0.1 * 1e4, Math.log(3)], 1e-6);
  });

  it('keeps the small losses of confident, right answers, for large logits too', () => {
    for (const offset of [0, 1e4]) {
      const loss = crossEntropy(f64([[offset, offset + 20]]), [1]).item();
      expect(loss).toBeCloseTo(Math.exp(-20), 11);
    }
  });

  it('takes the mean by default, over the labels that count', () => {
    const z = f64([[2, 0], [1, 3], [0, 5]]); // prettier-ignore
    const labels = [0, -100, 0];
    const [a, ignored, c] = values(crossEntropy(z, labels, { reduction: 'none' }));
    expect(ignored).toBe(0);
    expect(crossEntropy(z, labels).item()).toBeCloseTo((a + c) / 2, 14);
    expect(crossEntropy(z, labels, { reduction: 'sum' }).item()).toBeCloseTo(a + c, 14);
    expect(crossEntropy(z, labels).shape).toEqual([]);
  });

  it('copies the labels: changing them before backward() changes nothing', () => {
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

  it('gives no gradient to rows that are ignored, and a sum of 0 where all are', () => {
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

  it('takes labels as any integers: arrays, typed arrays, a tensor', () => {
    const z = f64([[2, 0, 1], [1, 3, 0], [0, 5, 4]]); // prettier-ignore
    const kinds: Labels[] = [
      [0, 2, 1],
      new Uint8Array([0, 2, 1]),
      new Int32Array([0, 2, 1]),
      new Float32Array([0, 2, 1]),
      tensor([0, 2, 1]),
      f64([0, 2, 1]),
    ];
    const losses = kinds.map((labels) => values(crossEntropy(z, labels, { reduction: 'none' })));
    for (const loss of losses) expect(loss).toEqual(losses[0]);
  });
});
