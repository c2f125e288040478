/**
 * Reductions along one axis, which stays with extent 1; the op drops it where it is not wanted.
 * A shape is seen as [outer, n, inner], and k runs over n.
 */
import { ShapeError } from './errors.ts';
import { kernel, type Kernel, type Shape } from './kernel.ts';
import { aroundAxis, columnsOf, expectSameShape, formatShape, withExtent } from './shape.ts';

interface Axis extends Record<string, number> {
  axis: number;
}

/** Of no values there is no maximum. */
function expectValues(op: string, x: Shape, axis: number): void {
  if (x[axis] > 0) return;
  throw new ShapeError(
    op,
    `axis ${axis} of ${formatShape(x)} is empty`,
    'a maximum needs at least one value',
  );
}

/** y[o,0,i] = Σₖ x[o,k,i]; 0 over an empty axis. */
export const sumAxis: Kernel<Axis> = kernel({
  name: 'sumAxis',
  equation: 'y[o,0,i] = Σₖ x[o,k,i]',
  inputs: ['x'],
  simd: 'sumAxis',
  shape: ([x], { axis }) => withExtent(x, axis, 1),
  sizes: ([x], { axis }) => aroundAxis(x, axis),
  reference: (y, [x], [outer, n, inner]) => {
    const sum = new Float64Array(inner);
    for (let o = 0; o < outer; o++) {
      sum.fill(0);
      for (let k = 0; k < n; k++) {
        const row = (o * n + k) * inner;
        for (let i = 0; i < inner; i++) sum[i] += x[row + i];
      }
      y.set(sum, o * inner);
    }
  },
  cost: ([outer, n, inner]) => ({ flops: outer * n * inner, bytes: 4 * outer * (n + 1) * inner }),
});

/** y[o,0,i] = maxₖ x[o,k,i]; NaN if any is NaN. */
export const maxAxis: Kernel<Axis> = kernel({
  name: 'maxAxis',
  equation: 'y[o,0,i] = maxₖ x[o,k,i]',
  inputs: ['x'],
  simd: 'maxAxis',
  shape: ([x], { axis }) => {
    expectValues('max', x, axis);
    return withExtent(x, axis, 1);
  },
  sizes: ([x], { axis }) => aroundAxis(x, axis),
  reference: (y, [x], [outer, n, inner]) => {
    y.fill(-Infinity);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < n; k++) {
        const row = (o * n + k) * inner;
        for (let i = 0; i < inner; i++) y[o * inner + i] = Math.max(y[o * inner + i], x[row + i]);
      }
    }
  },
  cost: ([outer, n, inner]) => ({ flops: outer * n * inner, bytes: 4 * outer * (n + 1) * inner }),
});

/** y[o,0,i] = the first k at which x[o,k,i] is largest; NaN counts as largest, as in PyTorch. */
export const argmaxAxis: Kernel<Axis> = kernel({
  name: 'argmaxAxis',
  equation: 'y[o,0,i] = argmaxₖ x[o,k,i]',
  inputs: ['x'],
  simd: 'argmaxAxis',
  shape: ([x], { axis }) => {
    expectValues('argmax', x, axis);
    return withExtent(x, axis, 1);
  },
  sizes: ([x], { axis }) => aroundAxis(x, axis),
  reference: (y, [x], [outer, n, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (k: number) => x[(o * n + k) * inner + i];
        let best = 0;
        for (let k = 1; k < n && !Number.isNaN(at(best)); k++) {
          if (at(k) > at(best) || Number.isNaN(at(k))) best = k;
        }
        y[o * inner + i] = best;
      }
    }
  },
  cost: ([outer, n, inner]) => ({ flops: outer * n * inner, bytes: 4 * outer * (n + 1) * inner }),
});

/** dx[o,k,i] = g[o,0,i] at the first k where x is largest, else 0: the backward form of `maxAxis`. */
export const maxAxisDx: Kernel<Axis> = kernel({
  name: 'maxAxisDx',
  equation: 'dx[o,k,i] = g[o,0,i]·[k = argmax[o,0,i]]',
  inputs: ['g', 'x', 'argmax'],
  shape: ([g, x, argmax], { axis }) => {
    expectSameShape('maxAxisDx', [g, argmax, withExtent(x, axis, 1)]);
    return x;
  },
  sizes: ([, x], { axis }) => aroundAxis(x, axis),
  reference: (dx, [g, , argmax], [outer, n, inner]) => {
    dx.fill(0);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = o * inner + i;
        dx[(o * n + argmax[at]) * inner + i] = g[at];
      }
    }
  },
  cost: ([outer, n, inner]) => ({ flops: 0, bytes: 4 * outer * (n + 2) * inner }),
});

// ── of columns: sums over the rows of a matrix ──────────────────────────────────────────────────────────

/** dbeta[c] = Σᵢ g[i,c]. g [m, C] → [C]. */
export const colSum: Kernel = kernel({
  name: 'colSum',
  equation: 'dbeta[c] = Σᵢ g[i,c]',
  inputs: ['g'],
  simd: 'colSum',
  shape: ([g]) => columnsOf('colSum', g),
  sizes: ([g]) => [g[0], g[1]],
  reference: (dbeta, [g], [m, C]) => {
    const sum = new Float64Array(C);
    for (let i = 0; i < m; i++) {
      const row = i * C;
      for (let c = 0; c < C; c++) sum[c] += g[row + c];
    }
    dbeta.set(sum);
  },
  cost: ([m, C]) => ({ flops: m * C, bytes: 4 * m * C }),
});

/** dgamma[c] = Σᵢ g[i,c]·xhat[i,c]. g [m, C], xhat [m, C] → [C]. */
export const colDot: Kernel = kernel({
  name: 'colDot',
  equation: 'dgamma[c] = Σᵢ g[i,c]·xhat[i,c]',
  inputs: ['g', 'xhat'],
  simd: 'colDot',
  shape: (shapes) => columnsOf('colDot', expectSameShape('colDot', shapes)),
  sizes: ([g]) => [g[0], g[1]],
  reference: (dgamma, [g, xhat], [m, C]) => {
    const sum = new Float64Array(C);
    for (let i = 0; i < m; i++) {
      const row = i * C;
      for (let c = 0; c < C; c++) sum[c] += g[row + c] * xhat[row + c];
    }
    dgamma.set(sum);
  },
  cost: ([m, C]) => ({ flops: 2 * m * C, bytes: 8 * m * C }),
});
