/**
 * Matrix products, in the three forms that a dense layer needs: y = x·W forward, dx = g·Wᵀ and dW = xᵀ·g
 * backward. A transposed operand is not copied: its loops read it column by column.
 */
import { ShapeError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { formatShape } from './shape.ts';

/** y[i,j] = Σₚ a[i,p] · b[p,j]: a [m, k], b [k, n] → [m, n]. */
export const matmul: Kernel = matrixProduct('matmul', [1, 0]);

/** y[i,j] = Σₚ a[i,p] · b[j,p], that is A·Bᵀ: a [m, k], b [n, k] → [m, n]. */
export const matmulTransposedB: Kernel = matrixProduct('matmulTransposedB', [1, 1]);

/** y[i,j] = Σₚ a[p,i] · b[p,j], that is Aᵀ·B: a [k, m], b [k, n] → [m, n]. */
export const matmulTransposedA: Kernel = matrixProduct('matmulTransposedA', [0, 0]);

/** The product that sums over axis `aInner` of a and axis `bInner` of b, whose extent is k. */
function matrixProduct(name: string, [aInner, bInner]: readonly [0 | 1, 0 | 1]): Kernel {
  return {
    name,
    inputs: ['a', 'b'],
    simd: name,
    shape: ([a, b]) => {
      if (a.length !== 2 || b.length !== 2) {
        const problem = `two matrices are needed: ${formatShape(a)} and ${formatShape(b)}`;
        throw new ShapeError(name, problem, 'reshape to [rows, columns] first');
      }
      if (a[aInner] === b[bInner]) return [a[1 - aInner], b[1 - bInner]];
      const extents = [`${a[aInner]} on axis ${aInner}`, `${b[bInner]} on axis ${bInner}`];
      const problem = `inner sizes differ: ${formatShape(a)} has ${extents[0]}, ${formatShape(b)} has ${extents[1]}`;
      const hint = 'they are summed over together, so they must be equal; is an operand transposed?';
      throw new ShapeError(name, problem, hint);
    },
    sizes: ([a, b]) => [a[1 - aInner], a[aInner], b[1 - bInner]],
    reference: (y, [a, b], [m, k, n]) => {
      // The strides of a and b along i, j and p. A row-major matrix [rows, columns] has the strides columns and 1.
      const [ai, ap] = aInner === 1 ? [k, 1] : [1, m];
      const [bj, bp] = bInner === 0 ? [1, n] : [k, 1];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += a[i * ai + p * ap] * b[p * bp + j * bj];
          y[i * n + j] = sum;
        }
      }
    },
    cost: ([m, k, n]) => ({ flops: 2 * m * k * n, bytes: 4 * (m * k + k * n + m * n) }),
  };
}
