/**
 * Reductions along one axis. The axis stays, with extent 1; the op removes it if asked to. A shape is seen as
 * [outer, n, inner], and k runs over the n values of a line: see `eachLine`.
 */
import { columnSum } from './families.ts';
import { ShapeError } from './errors.ts';
import type { AxisKernel, FloatArray, Kernel } from './kernel.ts';
import { aroundAxis, eachLine, expectSameShape, formatShape, withExtent } from './shape.ts';

/** y[o,0,i] = Σₖ x[o,k,i]; 0 over an empty axis. */
export const sumAxis: AxisKernel = reduction({ name: 'sumAxis' }, (x, start, n, step) => {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += x[start + k * step];
  return sum;
});

/** y[o,0,i] = maxₖ x[o,k,i]; NaN if any is NaN. */
export const maxAxis: AxisKernel = reduction(
  { name: 'maxAxis', refusesEmpty: 'max' },
  (x, start, n, step) => {
    let max = -Infinity;
    for (let k = 0; k < n; k++) max = Math.max(max, x[start + k * step]);
    return max;
  },
);

/** y[o,0,i] = the first k at which x[o,k,i] is largest; NaN counts as largest, as in PyTorch. */
export const argmaxAxis: AxisKernel = reduction(
  { name: 'argmaxAxis', refusesEmpty: 'argmax' },
  (x, start, n, step) => {
    const at = (k: number) => x[start + k * step];
    let best = 0;
    for (let k = 1; k < n && !Number.isNaN(at(best)); k++) {
      if (at(k) > at(best) || Number.isNaN(at(k))) best = k;
    }
    return best;
  },
);

/** dx[o,k,i] = g[o,0,i] at the first k where x is largest, else 0: the backward form of `maxAxis`. */
export const maxAxisDx: AxisKernel = {
  name: 'maxAxisDx',
  inputs: ['g', 'x', 'argmax'],
  shape: ([g, x, argmax], { axis }) => {
    expectSameShape('maxAxisDx', [g, argmax, withExtent(x, axis, 1)]);
    return x;
  },
  sizes: ([, x], { axis }) => aroundAxis(x, axis),
  reference: (dx, [g, , argmax], sizes) => {
    dx.fill(0);
    const [, , step] = sizes;
    eachLine(sizes, (start, line) => (dx[start + argmax[line] * step] = g[line]));
  },
  cost: ([outer, n, inner]) => ({ flops: 0, bytes: 4 * outer * (n + 2) * inner }),
};

/**
 * A reduction of x: `ofLine` computes the result of one line, whose values stand at `start`, `start + step` …. If an
 * empty axis is an error, `refusesEmpty` is the op that the error names.
 */
function reduction(
  { name, refusesEmpty }: { readonly name: string; readonly refusesEmpty?: string },
  ofLine: (x: FloatArray, start: number, n: number, step: number) => number,
): AxisKernel {
  return {
    name,
    inputs: ['x'],
    simd: name,
    shape: ([x], { axis }) => {
      if (refusesEmpty === undefined || x[axis] > 0) return withExtent(x, axis, 1);
      const problem = `axis ${axis} of ${formatShape(x)} is empty`;
      throw new ShapeError(refusesEmpty, problem, 'a maximum needs at least one value');
    },
    sizes: ([x], { axis }) => aroundAxis(x, axis),
    reference: (y, [x], sizes) => {
      const [, n, step] = sizes;
      eachLine(sizes, (start, line) => (y[line] = ofLine(x, start, n, step)));
    },
    cost: ([outer, n, inner]) => ({ flops: outer * n * inner, bytes: 4 * outer * (n + 1) * inner }),
  };
}

// ── sums over the rows of a matrix ─────────────────────────────────────────────────────────────────────

/** dbeta[c] = Σᵢ g[i,c]. g [m, C] → [C]. */
export const colSum: Kernel = columnSum({ name: 'colSum', inputs: ['g'] }, (dbeta, [g], [m, C]) => {
  for (let c = 0; c < C; c++) {
    let sum = 0;
    for (let i = 0; i < m; i++) sum += g[i * C + c];
    dbeta[c] = sum;
  }
});

/** dgamma[c] = Σᵢ g[i,c]·xhat[i,c]. g [m, C], xhat [m, C] → [C]. */
export const colDot: Kernel = columnSum(
  { name: 'colDot', inputs: ['g', 'xhat'] },
  (dgamma, [g, xhat], [m, C]) => {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = 0; i < m; i++) sum += g[i * C + c] * xhat[i * C + c];
      dgamma[c] = sum;
    }
  },
);
