/**
 * NumPy broadcasting, handled here and nowhere else. Shapes are aligned at their last axis; an axis of
 * extent 1 is repeated to the other's extent. The gradient of a repetition is a sum.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { repeatAxis } from '../../kernels/layout.ts';
import { sumAxis } from '../../kernels/reduce.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { ShapeError } from './errors.ts';
import { run } from './op.ts';
import type { Value } from './value.ts';

/** The shape that both can be expanded to. */
export function broadcastShape(op: string, a: Shape, b: Shape): Shape {
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
export function expandTo<T extends Value>(x: T, shape: Shape): T {
  let y = view(x, padded(x.shape, shape.length));
  // The innermost axis first: it is the smallest copy, and the later axes then repeat whole rows.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (y.shape[axis] !== shape[axis]) y = run(repeatAxis, [y], { axis, count: shape[axis] });
  }
  return y;
}

/** g summed to `shape`: the gradient of `expandTo`. */
export function sumTo<T extends Value>(g: T, shape: Shape): T {
  const target = padded(shape, g.shape.length);
  let y = g;
  for (let axis = 0; axis < target.length; axis++) {
    if (y.shape[axis] !== target[axis]) y = run(sumAxis, [y], { axis });
  }
  return view(y, shape);
}

/** The same memory under another shape of the same size. Not recorded. */
export function view<T extends Value>(x: T, shape: Shape): T {
  return sameShape(x.shape, shape) ? x : x.like(x.storage, shape);
}

/** The shape with ones in front, up to `rank` axes. */
function padded(shape: Shape, rank: number): Shape {
  return [...Array<number>(rank - shape.length).fill(1), ...shape];
}
