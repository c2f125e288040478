/** The arithmetic of optimizers: element i is the thread's own. */
import type { GpuForm, GpuThread, Thread } from './form.ts';

const elementwise = (thread: Thread): GpuForm => ({ sizes: ['n'], threads: ([n]) => [n], thread });

/** a ← b. */
export const assign: GpuForm = elementwise(function (this: GpuThread, _a: number[], b: number[]) {
  const i = this.thread.x;
  return b[i];
});

/** y = α·a + β·b. */
export const blend: GpuForm = elementwise(function (
  this: GpuThread,
  a: number[],
  b: number[],
  alpha: number,
  beta: number,
) {
  const i = this.thread.x;
  return alpha * a[i] + beta * b[i];
});

/** v ← decay·v + (1−decay)·g². */
export const secondMoment: GpuForm = {
  ...elementwise(function (this: GpuThread, v: number[], g: number[], decay: number, weight: number) {
    const i = this.thread.x;
    return decay * v[i] + weight * g[i] * g[i];
  }),
  derived: { weight: ({ decay }) => 1 - decay },
};

/** y = max(v − m², 0), and NaN stays NaN. */
export const centeredMoment: GpuForm = elementwise(function (this: GpuThread, v: number[], m: number[]) {
  const i = this.thread.x;
  const difference = v[i] - m[i] * m[i];
  return difference <= 0 ? 0 : difference;
});

/** y = m / (√(v/correction) + ε). */
export const divideByRoot: GpuForm = elementwise(function (
  this: GpuThread,
  m: number[],
  v: number[],
  correction: number,
  eps: number,
) {
  const i = this.thread.x;
  return m[i] / (Math.sqrt(v[i] / correction) + eps);
});
