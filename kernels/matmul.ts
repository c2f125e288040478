/**
 * Matrix products, in the three forms that a dense layer needs: y = x·W forward, dx = g·Wᵀ and dW = xᵀ·g
 * backward. A transposed operand is read where it lies; nothing is copied.
 */
import { ShapeError } from './errors.ts';
import { type Cost, type FloatArray, kernel, type Kernel, type Shape } from './kernel.ts';
import { formatShape } from './shape.ts';

/** y[i,j] = Σₚ a[i,p] · b[p,j]: a [m, k], b [k, n] → [m, n]. */
export const matmul: Kernel = kernel({
  name: 'matmul',
  equation: 'y[i,j] = Σₚ a[i,p]·b[p,j]',
  inputs: ['a', 'b'],
  simd: 'matmul',
  shape: ([a, b]) => productShape('matmul', a, b, 1, 0),
  sizes: ([a, b]) => [a[0], a[1], b[1]],
  reference: (y, [a, b], [m, k, n]) => combineRows(y, a, k, 1, b, m, k, n),
  cost: ([m, k, n]) => productCost(m, k, n),
});

/** y[i,j] = Σₚ a[i,p] · b[j,p], that is A·Bᵀ: a [m, k], b [n, k] → [m, n]. */
export const matmulTransposedB: Kernel = kernel({
  name: 'matmulTransposedB',
  equation: 'y[i,j] = Σₚ a[i,p]·b[j,p]',
  inputs: ['a', 'b'],
  simd: 'matmulTransposedB',
  shape: ([a, b]) => productShape('matmulTransposedB', a, b, 1, 1),
  sizes: ([a, b]) => [a[0], a[1], b[0]],
  reference: (y, [a, b], [m, k, n]) => dotRows(y, a, b, m, k, n),
  cost: ([m, k, n]) => productCost(m, k, n),
});

/** y[i,j] = Σₚ a[p,i] · b[p,j], that is Aᵀ·B: a [k, m], b [k, n] → [m, n]. */
export const matmulTransposedA: Kernel = kernel({
  name: 'matmulTransposedA',
  equation: 'y[i,j] = Σₚ a[p,i]·b[p,j]',
  inputs: ['a', 'b'],
  simd: 'matmulTransposedA',
  shape: ([a, b]) => productShape('matmulTransposedA', a, b, 0, 0),
  sizes: ([a, b]) => [a[1], a[0], b[1]],
  reference: (y, [a, b], [m, k, n]) => combineRows(y, a, 1, m, b, m, k, n),
  cost: ([m, k, n]) => productCost(m, k, n),
});

/**
 * Row i of y is a combination of the rows of b: Σₚ a(i,p)·b[p,:]. Every inner access is contiguous; four
 * rows of b a pass, so that each sum is loaded and stored once for four terms (twice as fast as one).
 * `a(i,p)` is `a[i·rowStride + p·termStride]`, which covers A and Aᵀ.
 */
function combineRows(
  y: FloatArray,
  a: FloatArray,
  rowStride: number,
  termStride: number,
  b: FloatArray,
  m: number,
  k: number,
  n: number,
): void {
  const sum = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sum.fill(0);
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const ai = i * rowStride + p * termStride;
      const [a0, a1, a2, a3] = [a[ai], a[ai + termStride], a[ai + 2 * termStride], a[ai + 3 * termStride]];
      const b0 = p * n;
      const b1 = b0 + n;
      const b2 = b1 + n;
      const b3 = b2 + n;
      for (let j = 0; j < n; j++) sum[j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
    }
    for (; p < k; p++) {
      const aip = a[i * rowStride + p * termStride];
      const bp = p * n;
      for (let j = 0; j < n; j++) sum[j] += aip * b[bp + j];
    }
    y.set(sum, i * n);
  }
}

/** y[i,j] is the dot product of row i of a and row j of b; four rows of b share each load of a. */
function dotRows(y: FloatArray, a: FloatArray, b: FloatArray, m: number, k: number, n: number): void {
  for (let i = 0; i < m; i++) {
    const ai = i * k;
    const yi = i * n;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const b0 = j * k;
      const b1 = b0 + k;
      const b2 = b1 + k;
      const b3 = b2 + k;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let p = 0; p < k; p++) {
        const aip = a[ai + p];
        s0 += aip * b[b0 + p];
        s1 += aip * b[b1 + p];
        s2 += aip * b[b2 + p];
        s3 += aip * b[b3 + p];
      }
      y[yi + j] = s0;
      y[yi + j + 1] = s1;
      y[yi + j + 2] = s2;
      y[yi + j + 3] = s3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[ai + p] * b[j * k + p];
      y[yi + j] = sum;
    }
  }
}

function productShape(op: string, a: Shape, b: Shape, aInner: 0 | 1, bInner: 0 | 1): Shape {
  if (a.length !== 2 || b.length !== 2) {
    throw new ShapeError(
      op,
      `two matrices are needed: ${formatShape(a)} and ${formatShape(b)}`,
      'reshape to [rows, columns] first',
    );
  }
  if (a[aInner] !== b[bInner]) {
    throw new ShapeError(
      op,
      `inner sizes differ: ${formatShape(a)} has ${a[aInner]} on axis ${aInner}, ` +
        `${formatShape(b)} has ${b[bInner]} on axis ${bInner}`,
      'they are summed over together, so they must be equal; is an operand transposed?',
    );
  }
  return [a[1 - aInner], b[1 - bInner]];
}

function productCost(m: number, k: number, n: number): Cost {
  return { flops: 2 * m * k * n, bytes: 4 * (m * k + k * n + m * n) };
}
