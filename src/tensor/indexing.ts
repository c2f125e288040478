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
  throw new ShapeError(
    'reshape',
    `${formatShape(from)} (${sizeOf(from)} values) does not fill ${formatShape(to)}`,
    'the product of the extents must stay the same; one extent may be -1',
  );
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

/** Extents are integers ≥ 0. */
export function expectShape(op: string, shape: unknown): Shape {
  const extents: readonly unknown[] | null = Array.isArray(shape) ? shape : null;
  if (extents?.every((extent) => typeof extent === 'number' && Number.isSafeInteger(extent) && extent >= 0)) {
    return expectSize(op, [...(extents as Shape)]);
  }
  throw new ShapeError(
    op,
    `not a shape: ${extents === null ? String(shape) : `[${extents.join(', ')}]`}`,
    'an array of integers ≥ 0 is expected, such as [32, 10]',
  );
}

/** More elements than an array can have. */
const TOO_MANY = 2 ** 32;

function expectSize(op: string, shape: Shape): Shape {
  if (sizeOf(shape) < TOO_MANY) return shape;
  throw new ShapeError(
    op,
    `${sizeOf(shape)} elements in shape ${formatShape(shape)}`,
    'a tensor has fewer than 2³²',
  );
}
