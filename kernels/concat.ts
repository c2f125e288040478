import { ShapeError } from './errors.ts';
import type { AxisKernel } from './kernel.ts';
import { moved } from './layout.ts';
import { formatShape, sameShape, sizeOf, withExtent } from './shape.ts';

/** y = the inputs one after the other along an axis. All their other extents are equal. */
export const concat: AxisKernel = {
  name: 'concat',
  inputs: ['a', 'b'],
  variadic: true,
  shape: (shapes, { axis }) => {
    const [first] = shapes;
    const misfit = shapes.find((shape) => !sameShape(withExtent(shape, axis, first[axis]), first));
    const total = shapes.reduce((sum, shape) => sum + shape[axis], 0);
    if (misfit === undefined) return withExtent(first, axis, total);
    const problem = `${formatShape(misfit)} does not fit ${formatShape(first)} along axis ${axis}`;
    throw new ShapeError('concat', problem, `all extents except that of axis ${axis} must be equal`);
  },
  sizes: (shapes, { axis }) => [
    sizeOf(shapes[0].slice(0, axis)),
    ...shapes.map((shape) => sizeOf(shape.slice(axis))),
  ],
  reference: (y, inputs, [outer, ...lengths]) => {
    let at = 0;
    for (let o = 0; o < outer; o++) {
      inputs.forEach((input, k) => {
        y.set(input.subarray(o * lengths[k], (o + 1) * lengths[k]), at);
        at += lengths[k];
      });
    }
  },
  cost: ([outer, ...lengths]) => moved(outer * lengths.reduce((sum, n) => sum + n, 0)),
};
