/** The bias of a dense layer. Its product is in `matmul.ts`; `fused/dense.ts` computes both in one pass. */
import { rowwise } from './families.ts';
import type { Kernel } from './kernel.ts';

/** y[i,j] = x[i,j] + b[j]. x [m, n], b [n] → [m, n]. */
export const addBias: Kernel = rowwise(
  { name: 'addBias', inputs: ['x', 'b'], simd: 'addBias', inPlace: true },
  (y, [x, b], [m, n]) => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) y[i * n + j] = x[i * n + j] + b[j];
    }
  },
);
