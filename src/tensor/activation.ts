/** The gradients on the way from y = activation(z) to z = x·W + b, which all ops with a dense layer in them share. */
import { colSum } from '../../kernels/reduce.ts';
import { denseDz, LINEAR } from '../../kernels/fused/dense.ts';
import { once, run, runFused } from './op.ts';
import type { Tensor } from './tensor.ts';

export { LINEAR };

/** dz = g·activation′(z), taken from y, and db = Σ dz. The activation is given by its slope below 0. */
export function throughActivation(
  g: Tensor,
  y: Tensor,
  slope: number,
): { dz: () => Tensor; db: () => Tensor } {
  if (slope === LINEAR) return { dz: () => g, db: () => run(colSum, [g]) };
  const both = once(() => runFused(denseDz, [g, y], { slope }));
  return { dz: () => both()[0], db: () => both()[1] };
}
