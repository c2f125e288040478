import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipGradNorm, ValueError } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose, refusal } from '../layers/helpers.ts';
import { f64, leaf, values } from '../tensors.ts';

const norm = (gradients: number[][]) => Math.hypot(...gradients.flat());

describe('clipGradNorm', () => {
  it.each(golden('clip-grad-norm').cases)('does what PyTorch does: $name', (example) => {
    for (const [dtype, tolerance] of [
      ['float64', 1e-10],
      ['float32', 1e-6],
    ] as const) {
      // prettier-ignore
      const params = example.gradients.map((g) => {
        const w = goldenTensor(g, { dtype, requiresGrad: true });
        w.grad = goldenTensor(g, { dtype });
        return w;
      });
      const before = clipGradNorm(params, example.maxNorm);
      expect(before.shape).toEqual([]);
      expectClose(before, [example.norm], tolerance);
      params.forEach((w, i) => {
        expectClose(w.grad, example.clipped[i], tolerance);
      });
    }
  });

  const numbers = fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 1, maxLength: 5 });

  it('makes one norm of all gradients at most max, keeps their direction, and returns the norm before', () => {
    fc.assert(
      fc.property(
        fc.array(numbers, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0.5, 10, 1e6),
        (gs, max) => {
          const params = gs.map((g) => leaf(g));
          gs.forEach((g, i) => (params[i].grad = f64(g)));
          const before = clipGradNorm(params, max).item();
          expect(before).toBeCloseTo(norm(gs), 8);
          const clipped = params.map((w) => values(w.grad));
          const factor = before > max ? max / before : 1;
          gs.forEach((g, i) => {
            expectClose(
              params[i].grad,
              g.map((value) => value * factor),
              1e-5,
            );
          });
          expect(norm(clipped)).toBeLessThanOrEqual(max * (1 + 1e-12));
        },
      ),
    );
  });

  it('leaves gradients below max exactly as they are', () => {
    const w = leaf([0, 0]);
    w.grad = f64([0.1, -0.3]);
    clipGradNorm([w], 1);
    expect(values(w.grad)).toEqual([0.1, -0.3]);
  });

  it('passes over parameters without a gradient, and moves no parameter', () => {
    const [a, b] = [leaf([1, 2]), leaf([3])];
    a.grad = f64([30, 40]);
    expect(clipGradNorm([b, a], 5).item()).toBe(50);
    expectClose(a.grad, [3, 4], 1e-6);
    expect([values(a), values(b), b.grad]).toEqual([[1, 2], [3], null]);
  });

  it('gives gradients that are no part of a graph', () => {
    const w = leaf([1]);
    for (const gradient of [f64([3]), leaf([3])]) {
      w.grad = gradient;
      const before = clipGradNorm([w], 0.5);
      for (const x of [w.grad, before]) expect(x).toMatchObject({ requiresGrad: false, node: null });
    }
  });

  it('keeps gradients of 0 at 0, and lets NaN be seen', () => {
    const w = leaf([1, 1]);
    w.grad = f64([0, 0]);
    expect(clipGradNorm([w], 1).item()).toBe(0);
    expect(values(w.grad)).toEqual([0, 0]);
    w.grad = f64([NaN, 1]);
    expect(clipGradNorm([w], 1).item()).toBeNaN();
    expect(values(w.grad)).toEqual([NaN, NaN]);
  });

  it.each([0, -1, NaN])('refuses a max of %s', (max) => {
    const w = leaf([1]);
    w.grad = f64([1]);
    expect(refusal(() => clipGradNorm([w], max), ValueError)).toContain(`clipGradNorm: max is ${max}`);
  });

  it('refuses where there is nothing to clip', () => {
    for (const params of [[], [leaf([1])]]) {
      const message = refusal(() => clipGradNorm(params, 1), ValueError);
      expect(message).toContain('no parameter has a gradient. Hint: call it after backward()');
    }
  });
});
