import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gelu, softplus, ValueError } from '../../../src/index.ts';
import { gradientMatches } from '../../laws/kernel-laws.ts';
import { inFloat64, onDevices } from '../../on-devices.ts';
import { leaf, values, wide } from '../../tensors.ts';
import { drawn, seeds, shapes } from '../draw.ts';
import { expectError } from '../expect-error.ts';

const points = [-Infinity, -1e30, -100, -20, -5, -1, -1e-8, 0, 1e-8, 0.5, 1, 5, 20, 100, 1e30, Infinity];

onDevices(({ either }) => {
  /** Expects values of small relative error; 0 and infinities exactly. */
  const close = (found: readonly number[], wanted: readonly number[]) => {
    found.forEach((value, i) => {
      const exact = wanted[i];
      if (exact === 0 || !Number.isFinite(exact)) expect(value + 0).toBe(exact + 0);
      else expect(Math.abs(value / exact - 1)).toBeLessThan(either(1e-12, 2e-6));
    });
  };

  it('softplus has small relative errors everywhere, and the sigmoid as its gradient', () => {
    const finite = points.filter((x) => x > -80);
    close(
      values(softplus(wide(finite))),
      finite.map((x) => (x > 50 ? x : Math.log1p(Math.exp(x)))),
    );
    expect(values(softplus(wide([-Infinity, -1e30])))).toEqual([0, 0]);
    expect(softplus(wide(NaN)).item()).toBeNaN();
    const x = leaf(points);
    softplus(x).sum().backward();
    expect(values(x.grad)).toEqual(values(x.detach().sigmoid()));
  });

  it('gelu is x/2·(1 + tanh(…)), without overflow', () => {
    const tanhForm = (x: number) =>
      (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    const middle = points.filter((x) => Math.abs(x) < 5);
    close(values(gelu(wide(middle))), middle.map(tanhForm));
    expect(values(gelu(wide([-Infinity, -1e30, -100]))).map((y) => y + 0)).toEqual([0, 0, 0]);
    const large = values(wide([20, 100, 1e30, Infinity]));
    expect(values(gelu(wide(large)))).toEqual(large);
    expect(gelu(wide(NaN)).item()).toBeNaN();
    const x = leaf([-Infinity, -1e30, -100, 0, 100, 1e30, Infinity]);
    gelu(x).sum().backward();
    expect(values(x.grad).map((g) => g + 0)).toEqual([0, 0, 0, 0.5, 1, 1, 1]);
  });

  it('they refuse what is no tensor', () => {
    for (const fn of [softplus, gelu]) {
      for (const x of [1, [1], null, undefined]) {
        expectError(() => fn(x as never), ValueError, /: x is .*a tensor is expected/);
      }
    }
  });
});

inFloat64(() => {
  it.each([softplus, gelu])('the gradient of %o', (fn) => {
    gradientMatches(
      fc.tuple(shapes(), seeds).map(([shape, seed]) => ({ fn, inputs: [drawn(shape, seed)] })),
      60,
    );
  });
});
