/**
 * Comparisons of two tensors, element by element: 1 where the comparison is true, 0 elsewhere. They are not
 * differentiable: their results require no gradient.
 */
import { maximumDx } from '../../../kernels/elementwise.ts';
import { expandTo } from '../broadcast.ts';
import { expectTensor } from '../errors.ts';
import { composite, constant, run } from '../op.ts';
import { operands } from '../operands.ts';
import { noGrad } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import type { Operand } from '../tensor-types.ts';

/** 1 where the comparison of a and b is true, 0 elsewhere. */
export type Comparison = (a: Tensor, b: Operand) => Tensor;

const isGreater = (order: Tensor): Tensor => order.relu();
const isGreaterOrEqual = (order: Tensor): Tensor => order.neg().relu().neg().add(1);

/**
 * 1 where a > b, 0 elsewhere; 0 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { greater, tensor } from 'gammabeta';
 *
 * console.log(greater(tensor([1, 2, 3]), 2).toArray()); // [ 0, 0, 1 ]
 * ```
 */
export const greater: Comparison = comparison('greater', isGreater);

/**
 * 1 where a ≥ b, 0 elsewhere; 0 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { greaterEqual, tensor } from 'gammabeta';
 *
 * console.log(greaterEqual(tensor([1, 2, 3]), 2).toArray()); // [ 0, 1, 1 ]
 * ```
 */
export const greaterEqual: Comparison = comparison('greaterEqual', isGreaterOrEqual);

/**
 * 1 where a < b, 0 elsewhere; 0 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { less, tensor } from 'gammabeta';
 *
 * console.log(less(tensor([1, 2, 3]), 2).toArray()); // [ 1, 0, 0 ]
 * ```
 */
export const less: Comparison = comparison('less', isGreater, 'swap');

/**
 * 1 where a ≤ b, 0 elsewhere; 0 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { lessEqual, tensor } from 'gammabeta';
 *
 * console.log(lessEqual(tensor([1, 2, 3]), 2).toArray()); // [ 1, 1, 0 ]
 * ```
 */
export const lessEqual: Comparison = comparison('lessEqual', isGreaterOrEqual, 'swap');

/**
 * 1 where a = b, 0 elsewhere; 0 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { equal, tensor } from 'gammabeta';
 *
 * console.log(equal(tensor([1, 2, 3]), 2).toArray()); // [ 0, 1, 0 ]
 * ```
 */
export const equal: Comparison = comparison('equal', (order) => order.abs().neg().add(1));

/**
 * 1 where a ≠ b, 0 elsewhere; 1 if either is NaN. Shapes broadcast. Not differentiable.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { notEqual, tensor } from 'gammabeta';
 *
 * console.log(notEqual(tensor([1, 2, 3]), 2).toArray()); // [ 1, 0, 1 ]
 * ```
 */
export const notEqual: Comparison = comparison('notEqual', (order) => order.abs());

/**
 * Declares a comparison. `from` computes it from the order of a and b: 1 where a > b, 0 where a = b, −1 elsewhere, that
 * is, where a < b or either is NaN. With 'swap', it gets the order of b and a.
 */
function comparison(name: string, from: (order: Tensor) => Tensor, swap?: 'swap'): Comparison {
  return composite((a, b) =>
    noGrad(() => {
      const [x, y] = operands(name, expectTensor(name, 'a', a), b);
      const one = expandTo(constant(x, [1], []), x.shape);
      const above = run(maximumDx, swap ? [one, y, x] : [one, x, y]); // [a > b] + ½·[a = b]
      return from(above.mul(2).sub(1));
    }),
  );
}
