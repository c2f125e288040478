/**
 * The shapes of a fusion's outputs, by the shape rules of the kernels that it is composed of. A training step asks for
 * the same shapes again and again, so they are cached.
 */
import type { Composer, Fusion } from '../../../../kernels/fused/fusion.ts';
import type { Params, Shape } from '../../../../kernels/kernel.ts';
import { sameShape } from '../../../../kernels/shape.ts';

/** The output of a fusion, before it is computed. */
export interface OutputLike {
  readonly shape: Shape;
  /** Kept in float64. */
  readonly statistic: boolean;
}

interface Known {
  readonly shapes: readonly Shape[];
  readonly outputs: readonly OutputLike[];
}

/** The number of shape combinations that are cached for each fusion: about the number of layers of a network. */
const CAPACITY = 16;

/** For each fusion, the most recent first. */
const found = new WeakMap<object, Known[]>();

/**
 * The outputs of a fusion on inputs of these shapes.
 *
 * @throws {ShapeError} The inputs do not fit.
 */
export function outputsOf<P extends Params>(
  fusion: Fusion<P>,
  shapes: readonly Shape[],
  params: P,
): readonly OutputLike[] {
  const known = found.get(fusion) ?? [];
  for (const { shapes: before, outputs } of known) if (areSame(before, shapes)) return outputs;
  const outputs = fusion.compose(shapesOnly, shapes.map(plain), params).map(kept);
  found.set(fusion, [{ shapes: shapes.map(copy), outputs }, ...known].slice(0, CAPACITY));
  return outputs;
}

function areSame(a: readonly Shape[], b: readonly Shape[]): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!sameShape(a[k], b[k])) return false;
  return true;
}

/** Composes shape rules instead of kernels. */
const shapesOnly: Composer<OutputLike> = {
  run: (kernel, inputs, ...[params]) => ({
    shape: kernel.shape(inputs.map(shapeOf), (params ?? {}) as never),
    statistic: kernel.statistic ?? false,
  }),
  update: (kernel, inputs, ...[params]) => {
    kernel.shape(inputs.map(shapeOf), (params ?? {}) as never);
  },
};

const shapeOf = ({ shape }: OutputLike): Shape => shape;
const plain = (shape: Shape): OutputLike => ({ shape, statistic: false });
const copy = (shape: Shape): Shape => [...shape];
/** Tensors get this shape: nobody may change it. */
const kept = ({ shape, statistic }: OutputLike): OutputLike => ({
  shape: Object.freeze([...shape]),
  statistic,
});
