/** The moving averages of Adam and RMSprop, and the step that they scale. */
import { elementwise } from './families.ts';
import type { Kernel } from './kernel.ts';

/** v ← decay·v + (1−decay)·g²: the moving average of squared gradients (Adam, RMSprop). */
export const secondMoment: Kernel<{ decay: number }> = elementwise(
  { name: 'secondMoment', inputs: ['v', 'g'], params: ['decay'], flops: 5 },
  (y, [v, g], [n], { decay }) => {
    for (let i = 0; i < n; i++) y[i] = decay * v[i] + (1 - decay) * g[i] * g[i];
  },
);

/** y = max(v − m², 0): a variance from two moving averages (centered RMSprop), not negative by rounding. */
export const centeredMoment: Kernel = elementwise(
  { name: 'centeredMoment', inputs: ['v', 'm'], flops: 3 },
  (y, [v, m], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.max(v[i] - m[i] * m[i], 0);
  },
);

/** y = m / (√(v/correction) + ε): a step scaled by the root of the second moment. */
export const divideByRoot: Kernel<{ correction: number; eps: number }> = elementwise(
  { name: 'divideByRoot', inputs: ['m', 'v'], params: ['correction', 'eps'], flops: 4 },
  (y, [m, v], [n], { correction, eps }) => {
    for (let i = 0; i < n; i++) y[i] = m[i] / (Math.sqrt(v[i] / correction) + eps);
  },
);
