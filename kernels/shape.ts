import { ShapeError } from './errors.ts';
import type { Shape } from './kernel.ts';

/** The number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
  return size;
}

/** `[2, 3]`, as messages print it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** The rule of elementwise kernels: all shapes are equal, and so is the output's. */
export function expectSameShape(op: string, shapes: readonly Shape[]): Shape {
  const [first] = shapes;
  let same = true;
  for (const shape of shapes) same &&= sameShape(shape, first);
  if (same) return first;
  throw new ShapeError(
    op,
    `shapes differ: ${shapes.map(formatShape).join(', ')}`,
    'every input of this kernel has the same shape',
  );
}

/** The rule of column kernels: `x` is [m, C] and each of the others is [C], one value per column. */
export function expectColumns(op: string, x: Shape, perColumn: readonly Shape[]): void {
  if (x.length === 2 && perColumn.every((shape) => shape.length === 1 && shape[0] === x[1])) return;
  throw new ShapeError(
    op,
    `expected x [m, C] and values per column [C]: ${[x, ...perColumn].map(formatShape).join(', ')}`,
    'give one value for each column of x',
  );
}

/** A shape seen from one axis: the extents before it, its own, and those after it, each multiplied out. */
export function aroundAxis(shape: Shape, axis: number): [outer: number, n: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

/** The shape with one axis' extent replaced. */
export function withExtent(shape: Shape, axis: number, extent: number): Shape {
  return shape.map((old, i) => (i === axis ? extent : old));
}

/** The axis as an index from the front; negative ones count from the back, as in NumPy. */
export function resolveAxis(op: string, shape: Shape, axis: number): number {
  const rank = shape.length;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new ShapeError(
    op,
    `no axis ${axis} in shape ${formatShape(shape)}`,
    rank === 0 ? 'a scalar has no axes' : `use an integer from ${-rank} to ${rank - 1}`,
  );
}

/** The shape of one value for each column of x [m, C]. */
export function columnsOf(op: string, x: Shape): Shape {
  if (x.length === 2 && x[0] > 0) return [x[1]];
  throw new ShapeError(
    op,
    `expected x [m, C] with m ≥ 1: ${formatShape(x)}`,
    'one row for each example, one column for each feature',
  );
}
