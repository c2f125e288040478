/**
 * Reductions along one axis. The axis stays, with extent 1; the op removes it if asked to. A shape is seen as
 * [outer, n, inner], and k runs over the n values of a line: see `eachLine`.
 */
import { columnSum } from './families.ts';
import { ShapeError } from './errors.ts';
import type { Definition, Kernel, Loops } from './kernel.ts';
import { aroundAxis, eachLine, expectSameShape, formatShape, withExtent } from './shape.ts';

/** y[o,0,i] = Σₖ x[o,k,i]; 0 over an empty axis. */
export const sumAxis: Kernel<{ axis: number }> = reduction(
  { name: 'sumAxis', inputs: ['x'] },
  (y, [x], [outer, n, inner]) => {
    eachLine(outer, n, inner, (start, line) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += x[start + k * inner];
      y[line] = sum;
    });
  },
);

/** y[o,0,i] = maxₖ x[o,k,i]; NaN if any is NaN. */
export const maxAxis: Kernel<{ axis: number }> = reduction(
  { name: 'maxAxis', inputs: ['x'], refusesEmpty: 'max' },
  (y, [x], [outer, n, inner]) => {
    eachLine(outer, n, inner, (start, line) => {
      let max = -Infinity;
      for (let k = 0; k < n; k++) max = Math.max(max, x[start + k * inner]);
      y[line] = max;
    });
  },
);

/** y[o,0,i] = the first k at which x[o,k,i] is largest; NaN counts as largest, as in PyTorch. */
export const argmaxAxis: Kernel<{ axis: number }> = reduction(
  { name: 'argmaxAxis', inputs: ['x'], refusesEmpty: 'argmax' },
  (y, [x], [outer, n, inner]) => {
    eachLine(outer, n, inner, (start, line) => {
      const at = (k: number) => x[start + k * inner];
      let best = 0;
      for (let k = 1; k < n && !Number.isNaN(at(best)); k++) {
        if (at(k) > at(best) || Number.isNaN(at(k))) best = k;
      }
      y[line] = best;
    });
  },
);

/** dx[o,k,i] = g[o,0,i] at the first k where x is largest, else 0: the backward form of `maxAxis`. */
export const maxAxisDx: Kernel<{ axis: number }> = {
  name: 'maxAxisDx',
  inputs: ['g', 'x', 'argmax'],
  shape: ([g, x, argmax], { axis }) => {
    expectSameShape('maxAxisDx', [g, argmax, withExtent(x, axis, 1)]);
    return x;
  },
  sizes: ([, x], { axis }) => aroundAxis(x, axis),
  reference: (dx, [g, , argmax], [outer, n, inner]) => {
    dx.fill(0);
    eachLine(outer, n, inner, (start, line) => {
      dx[start + argmax[line] * inner] = g[line];
    });
  },
  cost: ([outer, n, inner]) => ({ flops: 0, bytes: 4 * outer * (n + 2) * inner }),
};

/** What the reductions share. If an empty axis is an error, `refusesEmpty` is the op that the error names. */
function reduction(
  { refusesEmpty, ...definition }: Definition<{ axis: number }> & { readonly refusesEmpty?: string },
  reference: Loops<{ axis: number }>,
): Kernel<{ axis: number }> {
  return {
    ...definition,
    simd: definition.name,
    shape: ([x], { axis }) => {
      if (refusesEmpty === undefined || x[axis] > 0) return withExtent(x, axis, 1);
      const problem = `axis ${axis} of ${formatShape(x)} is empty`;
      throw new ShapeError(refusesEmpty, problem, 'a maximum needs at least one value');
    },
    sizes: ([x], { axis }) => aroundAxis(x, axis),
    reference,
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
