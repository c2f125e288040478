/** The arithmetic of optimizers. Every update rule is composed of these elementwise kernels. */
import { elementwise } from './families.ts';
import type { Kernel } from './kernel.ts';

/** a ← b: copies b into the memory of a. */
export const assign: Kernel = {
  ...elementwise({ name: 'assign', inputs: ['a', 'b'] }, (y, [, b]) => y.set(b)),
  cost: ([n]) => ({ flops: 0, bytes: 8 * n }), // a is not read
};

/** y = α·a + β·b: momentum, weight decay, moving averages and the step. */
export const blend: Kernel<{ alpha: number; beta: number }> = elementwise(
  { name: 'blend', inputs: ['a', 'b'], params: ['alpha', 'beta'], flops: 3 },
  (y, [a, b], [n], { alpha, beta }) => {
    for (let i = 0; i < n; i++) y[i] = alpha * a[i] + beta * b[i];
  },
);
