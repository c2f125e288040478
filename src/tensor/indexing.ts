/** Shapes and indices as users write them. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import type { NestedArray } from './create.ts';
import { ShapeError } from './errors.ts';

/** A new shape of the same size; −1 stands for what the other extents leave. */
export function inferShape(from: Shape, to: Shape): Shape {
  const unknown = to.filter((extent) => extent === -1).length;
  const known = sizeOf(to.filter((extent) => extent !== -1));
  const rest = sizeOf(from) / known;
  const shape =
    unknown === 1 && Number.isInteger(rest) ? to.map((extent) => (extent === -1 ? rest : extent)) : to;
  if (unknown <= 1 && sizeOf(shape) === sizeOf(from)) return expectShape('reshape', shape);
  const problem = `${formatShape(from)} (${sizeOf(from)} values) does not fill ${formatShape(to)}`;
  const hint = 'the product of the extents must stay the same; one extent may be -1';
  throw new ShapeError('reshape', problem, hint);
}

/** An index from the front, as JavaScript's own `slice` reads negative ones; not beyond the ends, as that one clips. */
export function fromFront(op: string, index: number, extent: number): number {
  const front = index < 0 ? index + extent : index;
  if (Number.isInteger(front) && front >= 0 && front <= extent) return front;
  throw new ShapeError(op, `index ${index} is outside an axis of ${extent}`, `use -${extent} … ${extent}`);
}

export function nest(values: FloatArray, shape: Shape): number | NestedArray {
  if (shape.length === 0) return values[0];
  const [n, ...rest] = shape;
  if (rest.length === 0) return Array.from(values);
  const inner = sizeOf(rest);
  return Array.from(
    { length: n },
    (_, i) => nest(values.subarray(i * inner, (i + 1) * inner), rest) as NestedArray,
  );
}

/** Checks that a shape is an array of integers ≥ 0, with fewer than 2³² elements. */
export function expectShape(op: string, shape: unknown): Shape {
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    const found = Array.isArray(shape) ? `[${shape.join(', ')}]` : String(shape);
    const hint = 'an array of integers ≥ 0 is expected, such as [32, 10]';
    throw new ShapeError(op, `not a shape: ${found}`, hint);
  }
  const extents = [...(shape as Shape)];
  if (sizeOf(extents) < 2 ** 32) return extents;
  const problem = `${sizeOf(extents)} elements in shape ${formatShape(extents)}`;
  throw new ShapeError(op, problem, 'a tensor has fewer than 2³²');
}
