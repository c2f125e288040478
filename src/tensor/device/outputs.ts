/**
 * Derives the outputs of a fusion, and the inputs that it updates, from the shape rules of its kernels. The results are
 * cached, because every training step needs the same ones.
 */
import type { Fusion } from '../../../kernels/fused/fusion.ts';
import type { Kernel, Params, Shape } from '../../../kernels/kernel.ts';
import { sameShape } from '../../../kernels/shape.ts';

/** The shape and type of an output, before it is computed. */
export interface OutputLike {
  readonly shape: Shape;
  /** Whether it is stored in float64: see `Kernel.statistic`. */
  readonly statistic: boolean;
}

/** The outputs and updates of a fusion. */
export interface Results {
  readonly outputs: readonly OutputLike[];
  /** The indices of the inputs that it updates in place. */
  readonly updates: readonly number[];
}

/** The results for one combination of input shapes. */
interface Known {
  readonly shapes: readonly Shape[];
  /** The parameter on which the shapes depend, or 0. */
  readonly param: number;
  readonly results: Results;
}

/** The number of shape combinations that are cached per fusion: enough for one per layer of a network. */
const CAPACITY = 16;

/** The cache of each fusion, newest entry first. */
const found = new WeakMap<object, Known[]>();

/**
 * The results of a fusion on inputs of these shapes.
 *
 * @throws {ShapeError} The shapes of the inputs violate a shape rule.
 */
export function resultsOf<P extends Params>(fusion: Fusion<P>, shapes: readonly Shape[], params: P): Results {
  const known = found.get(fusion) ?? [];
  const param = fusion.shapedBy === undefined ? 0 : params[fusion.shapedBy];
  for (const each of known) if (each.param === param && areSame(each.shapes, shapes)) return each.results;
  const results = onShapes(fusion, shapes, params);
  found.set(fusion, [{ shapes: shapes.map(copy), param, results }, ...known].slice(0, CAPACITY));
  return results;
}

function areSame(a: readonly Shape[], b: readonly Shape[]): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!sameShape(a[k], b[k])) return false;
  return true;
}

/** Applies the shape rules of the kernels instead of running them. */
function onShapes<P extends Params>(fusion: Fusion<P>, shapes: readonly Shape[], params: P): Results {
  const shapeOf = (kernel: Kernel, from: readonly OutputLike[], numbers: Params = {}): Shape =>
    kernel.shape(
      from.map(({ shape }) => shape),
      numbers,
    );
  const inputs = shapes.map((shape): OutputLike => ({ shape, statistic: false }));
  const updated = new Set<OutputLike>();
  const outputs = fusion.compose<OutputLike>(
    {
      run: (kernel, from, ...[numbers]) => ({
        shape: shapeOf(kernel, from, numbers),
        statistic: kernel.statistic ?? false,
      }),
      update: (kernel, from, ...[numbers]) => {
        shapeOf(kernel, from, numbers);
        updated.add(from[0]);
      },
    },
    inputs,
    params,
  );
  const indices = [...inputs.keys()];
  return { outputs: outputs.map(kept), updates: indices.filter((k) => updated.has(inputs[k])) };
}

const copy = (shape: Shape): Shape => [...shape];
/** Frozen, because all tensors of these outputs share the shape. */
const kept = ({ shape, statistic }: OutputLike): OutputLike => ({
  shape: Object.freeze([...shape]),
  statistic,
});
