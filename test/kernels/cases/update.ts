/** The arithmetic of optimizers, from the formulas. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import { elementwise, type KernelCases } from './case.ts';

const moments = { low: 0.01, high: 4 };

export const updates: Pick<
  KernelCases,
  'assign' | 'blend' | 'secondMoment' | 'centeredMoment' | 'divideByRoot'
> = {
  assign: elementwise(kernels.assign, ([, b]) => b),
  blend: elementwise(
    kernels.blend,
    ([a, b], { alpha, beta }) => a * alpha + b * beta,
    {},
    fc.record({ alpha: fc.constantFrom(0, 0.9, 1), beta: fc.constantFrom(-0.1, 0, 0.5, 1) }),
    ([a, b], { alpha, beta }) => Math.abs(a * alpha) + Math.abs(b * beta),
  ),
  secondMoment: elementwise(
    kernels.secondMoment,
    ([v, g], { decay }) => v + (1 - decay) * (g * g - v),
    moments,
    fc.constantFrom(0, 0.9, 0.999, 1).map((decay) => ({ decay })),
  ),
  centeredMoment: {
    ...elementwise(kernels.centeredMoment, ([v, m]) => (v > m ** 2 ? v - m ** 2 : 0), moments),
    terms: (index, [v, m]) => v(...index) + m(...index) ** 2,
  },
  divideByRoot: elementwise(
    kernels.divideByRoot,
    ([m, v], { correction, eps }) => m / ((v / correction) ** 0.5 + eps),
    moments,
    fc.record({ correction: fc.constantFrom(1, 0.1, 0.001), eps: fc.constantFrom(0, 1e-8, 1e-3) }),
  ),
};
