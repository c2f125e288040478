import { ShapeError } from './errors.ts';
import type { Shape } from './kernel.ts';

/** The number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
  return size;
}

/** A shape as messages print it: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Checks that all shapes are equal, and returns the first. */
export function expectSameShape(op: string, shapes: readonly Shape[]): Shape {
  if (shapes.every((shape) => sameShape(shape, shapes[0]))) return shapes[0];
  const problem = `shapes differ: ${shapes.map(formatShape).join(', ')}`;
  throw new ShapeError(op, problem, 'every input of this kernel has the same shape');
}

/** A shape as seen from one axis: the number of elements before it, its extent, and the number after it. */
export function aroundAxis(shape: Shape, axis: number): [outer: number, n: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

/**
 * Calls `each` for every line along the axis of a shape [outer, n, inner]. The n values of the line stand at
 * `start`, `start + inner`, `start + 2·inner` …; `line` counts the lines, and is the place of a result per line.
 */
export function eachLine([outer, n, inner]: Shape, each: (start: number, line: number) => void): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) each(o * n * inner + i, o * inner + i);
  }
}

/** The shape with the extent of one axis replaced. */
export function withExtent(shape: Shape, axis: number, extent: number): Shape {
  return shape.map((old, i) => (i === axis ? extent : old));
}

/** The axis as an index from the front. Negative axes count from the back, as in NumPy. */
export function resolveAxis(op: string, shape: Shape, axis: number): number {
  const rank = shape.length;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  const hint = rank === 0 ? 'a scalar has no axes' : `use an integer from ${-rank} to ${rank - 1}`;
  const shown = typeof axis === 'string' ? `'${axis as string}'` : String(axis);
  const found = Object(axis) === axis ? '(an object)' : shown;
  throw new ShapeError(op, `no axis ${found} in shape ${formatShape(shape)}`, hint);
}
