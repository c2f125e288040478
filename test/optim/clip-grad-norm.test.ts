import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipGradNorm, Dense, ones, Sequential, ValueError } from '../../src/index.ts';
import { golden, goldenTensor } from '../golden-files.ts';
import { expectClose, expectToBecome, refusal } from '../layers/helpers.ts';
import { wide, leaf, values } from '../tensors.ts';
import { inAllPrecisions, onDevices } from '../on-devices.ts';

const untyped = (value: unknown): never => value as never;

inAllPrecisions(({ dtype, either }) => {
  it.each(golden('clip-grad-norm').cases)('clipGradNorm agrees with PyTorch: $name', async (example) => {
    const params = example.gradients.map((g) => {
      const w = goldenTensor(g, { dtype, requiresGrad: true });
      w.grad = goldenTensor(g, { dtype });
      return w;
    });
    const before = clipGradNorm(params, example.maxNorm);
    expect(before.shape).toEqual([]);
    await expectToBecome(before, [example.norm], either(1e-10, 1e-6));
    for (const [i, w] of params.entries()) {
      await expectToBecome(w.grad, example.clipped[i], either(1e-10, 1e-6));
    }
  });
});

onDevices(({ either }) => {
  const norm = (gradients: number[][]) => Math.hypot(...gradients.flat());

  describe('clipGradNorm', () => {
    const numbers = fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 1, maxLength: 5 });

    it('scales all gradients together to a norm of at most max, and returns the norm before', () => {
      fc.assert(
        fc.property(
          fc.array(numbers, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(0.5, 10, 1e6),
          (gs, max) => {
            const params = gs.map((g) => leaf(g));
            gs.forEach((g, i) => (params[i].grad = wide(g)));
            const before = clipGradNorm(params, max).item();
            expect(Math.abs(before - norm(gs))).toBeLessThanOrEqual(either(1e-8, 1e-6 * norm(gs)));
            const clipped = params.map((w) => values(w.grad));
            const factor = before > max ? max / before : 1;
            gs.forEach((g, i) => {
              expectClose(
                params[i].grad,
                g.map((value) => value * factor),
                1e-5,
              );
            });
            expect(norm(clipped)).toBeLessThanOrEqual(max * (1 + either(1e-12, 1e-6)));
          },
        ),
      );
    });

    it('does not change gradients with a norm below max', () => {
      const w = leaf([0, 0]);
      w.grad = wide([0.125, -0.25]);
      clipGradNorm([w], 1);
      expect(values(w.grad)).toEqual([0.125, -0.25]);
    });

    it('skips parameters without a gradient, and changes no parameter', () => {
      const [a, b] = [leaf([1, 2]), leaf([3])];
      a.grad = wide([30, 40]);
      expect(clipGradNorm([b, a], 5).item()).toBe(50);
      expectClose(a.grad, [3, 4], 1e-6);
      expect([values(a), values(b), b.grad]).toEqual([[1, 2], [3], null]);
    });

    it('leaves gradients outside of any graph', () => {
      const w = leaf([1]);
      for (const gradient of [wide([3]), leaf([3])]) {
        w.grad = gradient;
        const before = clipGradNorm([w], 0.5);
        for (const x of [w.grad, before]) expect(x).toMatchObject({ requiresGrad: false, node: null });
      }
    });

    it('keeps gradients of 0, and propagates NaN', () => {
      const w = leaf([1, 1]);
      w.grad = wide([0, 0]);
      expect(clipGradNorm([w], 1).item()).toBe(0);
      expect(values(w.grad)).toEqual([0, 0]);
      w.grad = wide([NaN, 1]);
      expect(clipGradNorm([w], 1).item()).toBeNaN();
      expect(values(w.grad)).toEqual([NaN, NaN]);
    });

    it.each([0, -1, NaN])('refuses a max of %s', (max) => {
      const w = leaf([1]);
      w.grad = wide([1]);
      expect(refusal(() => clipGradNorm([w], max), ValueError)).toContain(`clipGradNorm: max is ${max}`);
    });

    it('refuses a model in place of its parameters, and leaves the gradients', () => {
      const model = new Sequential(new Dense(1, 1));
      model
        .forward(ones([1, 1]))
        .sum()
        .backward();
      const gradients = () => model.parameters().map(({ grad }) => values(grad));
      const before = gradients();
      for (const params of [model, model.parameters()[0], undefined, null, [model]]) {
        const message = refusal(() => clipGradNorm(untyped(params), 1e-3), ValueError);
        expect(message).toMatch(/^clipGradNorm: params(\[0\])? is .+\. Hint: pass model\.parameters\(\)/);
      }
      expect(gradients()).toEqual(before);
      expect(clipGradNorm(model.parameters(), 1e-3).item()).toBeGreaterThan(0);
    });

    it('refuses the kind of norm that PyTorch takes', () => {
      const clip: (...args: unknown[]) => unknown = untyped(clipGradNorm);
      expect(refusal(() => clip([leaf([1])], 1, 1), ValueError)).toMatch(
        /too many arguments: 3, .*Hint: the norm is the L2 norm/,
      );
    });

    it('counts a shared parameter once', () => {
      const w = leaf([3, 4]);
      w.mul(w).sum().backward(); // the gradient is 2w
      expect(clipGradNorm([w, w], 1).item()).toBeCloseTo(10, 5);
      expect(Math.hypot(...(w.grad?.dataSync() ?? []))).toBeCloseTo(1, 5);
    });

    it('refuses to run without gradients', () => {
      for (const params of [[], [leaf([1])]]) {
        const message = refusal(() => clipGradNorm(params, 1), ValueError);
        expect(message).toContain('no parameter has a gradient. Hint: call it after backward()');
      }
    });
  });
});
