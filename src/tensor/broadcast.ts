/**
 * NumPy broadcasting, handled here and nowhere else. Shapes are aligned at their last axis; an axis of
 * extent 1 is repeated to the other's extent. The gradient of a repetition is a sum.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { repeatAxis } from '../../kernels/layout.ts';
import { sumAxis } from '../../kernels/reduce.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { tensor } from './create.ts';
import { ShapeError } from './errors.ts';
import { run } from './op.ts';
import * as ops from './ops.ts';
import { type Operand, Tensor } from './tensor.ts';

/** Both operands at their common shape. */
export function broadcast(op: string, a: Tensor, b: Operand): [Tensor, Tensor] {
  const other = typeof b === 'number' ? tensor(b, { dtype: a.dtype, device: a.home }) : b;
  const shape = broadcastShape(op, a.shape, other.shape);
  const expanded = (x: Tensor) => (sameShape(x.shape, shape) ? x : ops.expand(x, shape));
  return [expanded(a), expanded(other)];
}

/** The shape that both can be expanded to. */
function broadcastShape(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  return left.map((extent, axis) => {
    const other = right[axis];
    if (extent === other || other === 1) return extent;
    if (extent === 1) return other;
    throw new ShapeError(
      op,
      `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${extent} and ${other} at axis ${axis - rank}`,
      'aligned at the last axis, two extents must be equal or one of them 1',
    );
  });
}

/** x repeated to `shape`. */
export function expandTo(x: Tensor, shape: Shape): Tensor {
  let y = view(x, padded(x.shape, shape.length));
  // The innermost axis first: it is the smallest copy, and the later ones then repeat whole rows.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (y.shape[axis] !== shape[axis]) y = run(repeatAxis, [y], { axis, count: shape[axis] });
  }
  return y;
}

/** g summed to `shape`: the backward form of `expandTo`. */
export function sumTo(g: Tensor, shape: Shape): Tensor {
  const target = padded(shape, g.shape.length);
  let y = g;
  for (let axis = 0; axis < target.length; axis++) {
    if (y.shape[axis] !== target[axis]) y = run(sumAxis, [y], { axis });
  }
  return view(y, shape);
}

/** The same memory under another shape of the same size; not taped. */
export function view(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : new Tensor(x.storage, shape, x.home);
}

/** Ones in front, up to `rank` axes. */
function padded(shape: Shape, rank: number): Shape {
  return [...Array<number>(rank - shape.length).fill(1), ...shape];
}
