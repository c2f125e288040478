/**
 * Computes the shapes of a fusion's outputs with the shape rules of its kernels. Every training step needs the same
 * shapes, so they are cached.
 */
import type { Composer, Fusion } from '../../../kernels/fused/fusion.ts';
import type { Params, Shape } from '../../../kernels/kernel.ts';
import { sameShape } from '../../../kernels/shape.ts';

/** The shape and type of an output, before it is computed. */
export interface OutputLike {
  readonly shape: Shape;
  /** Whether it is stored in float64: see `Kernel.statistic`. */
  readonly statistic: boolean;
}

/** The outputs for one combination of input shapes. */
interface Known {
  readonly shapes: readonly Shape[];
  /** The parameter on which the shapes depend, or 0. */
  readonly param: number;
  readonly outputs: readonly OutputLike[];
}

/** The number of shape combinations that are cached per fusion: enough for one per layer of a network. */
const CAPACITY = 16;

/** The cache of each fusion, newest entry first. */
const found = new WeakMap<object, Known[]>();

/**
 * The outputs of a fusion on inputs of these shapes.
 *
 * @throws {ShapeError} The shapes of the inputs violate a shape rule.
 */
export function outputsOf<P extends Params>(
  fusion: Fusion<P>,
  shapes: readonly Shape[],
  params: P,
): readonly OutputLike[] {
  const known = found.get(fusion) ?? [];
  const param = fusion.shapedBy === undefined ? 0 : params[fusion.shapedBy];
  for (const each of known) if (each.param === param && areSame(each.shapes, shapes)) return each.outputs;
  const outputs = fusion.compose(shapesOnly, shapes.map(plain), params).map(kept);
  found.set(fusion, [{ shapes: shapes.map(copy), param, outputs }, ...known].slice(0, CAPACITY));
  return outputs;
}

function areSame(a: readonly Shape[], b: readonly Shape[]): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!sameShape(a[k], b[k])) return false;
  return true;
}

/** Applies the shape rules of kernels instead of running them. */
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
/** Frozen, because all tensors of these outputs share the shape. */
const kept = ({ shape, statistic }: OutputLike): OutputLike => ({
  shape: Object.freeze([...shape]),
  statistic,
});
