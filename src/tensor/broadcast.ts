/**
 * NumPy's broadcasting rules. Shapes are aligned at their last axis, missing axes count as extent 1, and an axis of
 * extent 1 is repeated to the extent of the other shape. The gradient of a repetition is a sum over the repeated axis.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { repeatAxis } from '../../kernels/layout.ts';
import { sumAxis } from '../../kernels/reduce.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { ShapeError } from './errors.ts';
import { run } from './op.ts';
import type { Value } from './value.ts';

/**
 * The shape that both shapes broadcast to.
 *
 * @throws {ShapeError} Two aligned extents differ, and neither is 1.
 */
export function broadcastShape(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  return left.map((extent, axis) => {
    const other = right[axis];
    if (extent === other || other === 1) return extent;
    if (extent === 1) return other;
    const problem = `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`;
    const hint = 'aligned at the last axis, extents must be equal, or one of them must be 1';
    throw new ShapeError(op, `${problem}: ${extent} and ${other} at axis ${axis - rank}`, hint);
  });
}

/** Repeats x along its axes of extent 1 until it has the given shape. Not recorded on the tape. */
export function expandTo<T extends Value>(x: T, shape: Shape): T {
  let y = view(x, padded(x.extents, shape.length));
  // Innermost axis first: it is the smallest copy, and later axes then copy whole rows.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (y.extents[axis] !== shape[axis]) y = run(repeatAxis, [y], { axis, count: shape[axis] });
  }
  return y;
}

/**
 * Sums g over the axes that `expandTo` repeated, down to `shape`: the gradient of `expandTo`. Not recorded on the tape.
 */
export function sumTo<T extends Value>(g: T, shape: Shape): T {
  const target = padded(shape, g.extents.length);
  let y = g;
  for (let axis = 0; axis < target.length; axis++) {
    if (y.extents[axis] !== target[axis]) y = run(sumAxis, [y], { axis });
  }
  return view(y, shape);
}

/** A tensor that shares the memory of x, with another shape of the same size. Not recorded on the tape. */
export function view<T extends Value>(x: T, shape: Shape): T {
  return sameShape(x.extents, shape) ? x : x.like(x.storage, shape);
}

/** The shape with ones in front, so that it has `rank` axes. */
function padded(shape: Shape, rank: number): Shape {
  return [...Array<number>(rank - shape.length).fill(1), ...shape];
}
