/** A dense layer: product, bias and activation in one call, which a device may compute in one pass. */
import { addBias } from '../dense.ts';
import { leakyRelu, relu } from '../elementwise.ts';
import type { Composer, Fusion } from './fusion.ts';
import { matmul } from '../matmul.ts';

/**
 * The activation, given by its slope below 0: {@link LINEAR} for none, 0 for ReLU, another number for LeakyReLU. For
 * slopes ≥ 0, y > 0 exactly where z > 0. So the backward pass needs only y, and z is not kept.
 */
export interface Activation extends Record<string, number> {
  slope: number;
}

/** The slope that stands for no activation. */
export const LINEAR = 1;

/** y = activation(x·W + b). x [m, k], W [k, n], b [n] → [m, n]. */
export const dense: Fusion<Activation> = {
  name: 'dense',
  compose: (composer, [x, W, b], { slope }) => {
    const z = composer.run(addBias, [composer.run(matmul, [x, W]), b]);
    return [activation(composer, z, slope)];
  },
};

function activation<T>({ run }: Composer<T>, z: T, slope: number): T {
  if (slope === LINEAR) return z;
  return slope === 0 ? run(relu, [z]) : run(leakyRelu, [z], { slope });
}
