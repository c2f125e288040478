/** The GPU forms of `../update.ts`, under the names of the kernels. Thread i computes element i, without a loop. */
import type { GpuForm, GpuThread, Thread } from './form.ts';

const elementwise = (thread: Thread): GpuForm => ({ sizes: ['n'], threads: ([n]) => [n], thread });

/** `assign`, a ← b. */
export const assign: GpuForm = elementwise(function (this: GpuThread, _a: number[], b: number[]) {
  const i = this.thread.x;
  return b[i];
});

/** `blend`, y = α·a + β·b. */
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

/** `secondMoment`, v ← decay·v + (1−decay)·g²: 1 − decay is computed before, in float64. */
export const secondMoment: GpuForm = {
  ...elementwise(function (this: GpuThread, v: number[], g: number[], decay: number, weight: number) {
    const i = this.thread.x;
    return decay * v[i] + weight * g[i] * g[i];
  }),
  derived: { weight: ({ decay }) => 1 - decay },
};

/** `centeredMoment`, y = max(v − m², 0); NaN stays NaN. */
export const centeredMoment: GpuForm = elementwise(function (this: GpuThread, v: number[], m: number[]) {
  const i = this.thread.x;
  const difference = v[i] - m[i] * m[i];
  return difference <= 0 ? 0 : difference;
});

/** `divideByRoot`, y = m / (√(v/correction) + ε). */
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
