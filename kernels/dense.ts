/** The bias of a dense layer; its product is in `matmul.ts`, and all of it in one pass in `fused/dense.ts`. */
import { kernel, type Kernel } from './kernel.ts';
import { expectColumns } from './shape.ts';

/** y[i,j] = x[i,j] + b[j]. x [m, n], b [n] → [m, n]. */
export const addBias: Kernel = kernel({
  name: 'addBias',
  equation: 'y[i,j] = x[i,j] + b[j]',
  inputs: ['x', 'b'],
  shape: ([x, b]) => {
    expectColumns('addBias', x, [b]);
    return x;
  },
  sizes: ([x]) => [x[0], x[1]],
  reference: (y, [x, b], [m, n]) => {
    for (let i = 0; i < m; i++) {
      const row = i * n;
      for (let j = 0; j < n; j++) y[row + j] = x[row + j] + b[j];
    }
  },
  simd: 'addBias',
  inPlace: true,
  cost: ([m, n]) => ({ flops: m * n, bytes: 8 * m * n }),
});
