/** Functions that choose between values, element by element. */
import { add, reluDx, scale } from '../../../kernels/elementwise.ts';
import { expectTensor, shown, ValueError } from '../errors.ts';
import { composite, op, run } from '../op.ts';
import type { Op } from '../op-definition.ts';
import { operands } from '../operands.ts';
import type { Tensor } from '../tensor.ts';
import type { Operand } from '../tensor-types.ts';
import type { Value } from '../value.ts';
import { greater, less, notEqual } from './comparisons.ts';

/**
 * y = min(a, b), element by element. Shapes broadcast. If both are equal, each gets half of the gradient, as in PyTorch.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { minimum, tensor } from 'gammabeta';
 *
 * console.log(minimum(tensor([1, 4]), 3).toArray()); // [ 1, 3 ]
 * ```
 */
export const minimum: (a: Tensor, b: Operand) => Tensor = composite((a, b) => {
  const [x, y] = operands('minimum', expectTensor('minimum', 'a', a), b);
  return x.neg().maximum(y.neg()).neg();
});

/**
 * y = a where the condition is not 0, and b elsewhere. All shapes broadcast. The gradient of the value that is not chosen
 * is 0, also if that value is NaN or infinite.
 *
 * As in PyTorch, a function with an infinite derivative still makes NaN of that 0: the gradient of
 * `where(greater(x, 0), x.log(), 0)` at 0 is 0/0. Choose first: `where(greater(x, 0), x, 1).log()`.
 *
 * @param condition A comparison, or any tensor. It gets no gradient.
 * @throws {ShapeError} The shapes do not broadcast.
 * @example
 * ```ts
 * import { greater, tensor, where } from 'gammabeta';
 *
 * const x = tensor([-2, 3]);
 * console.log(where(greater(x, 0), x, 0).toArray()); // [ 0, 3 ]
 * ```
 */
export const where: (condition: Tensor, a: Operand, b: Operand) => Tensor = composite((condition, a, b) => {
  const chosen = notEqual(expectTensor('where', 'condition', condition), 0);
  const [, first] = operands('where', chosen, a);
  const [x, y] = operands('where', first, b);
  const [mask] = operands('where', chosen, y);
  return select(mask, mask.neg().add(1), x, y);
});

/**
 * y = a where `isA` is 1, b where `isB` is 1. `reluDx` is used as a selection: it is 0, and not a product with 0, where
 * its second input is 0.
 */
const select: Op<[isA: Value, isB: Value, a: Value, b: Value]> = op({
  name: 'where',
  forward: (isA, isB, a, b) => run(add, [run(reluDx, [a, isA]), run(reluDx, [b, isB])]),
  backward: (g, _y, isA, isB) => [
    () => run(scale, [g], { factor: 0 }), // never called: masks require no gradient
    () => run(scale, [g], { factor: 0 }),
    () => run(reluDx, [g, isA]),
    () => run(reluDx, [g, isB]),
  ],
});

/**
 * y = x, limited to min … max. The gradient is 1 from min to max, the bounds included, and 0 elsewhere, as in PyTorch.
 *
 * @param min The least value; −Infinity for no bound.
 * @param max The greatest value, ≥ min; Infinity for no bound.
 * @throws {ValueError} A bound is no number, or min > max.
 * @example
 * ```ts
 * import { clamp, tensor } from 'gammabeta';
 *
 * console.log(clamp(tensor([-2, 0.5, 3]), 0, 1).toArray()); // [ 0, 0.5, 1 ]
 * ```
 */
export const clamp: (x: Tensor, min: number, max: number) => Tensor = composite((x, min, max) => {
  expectTensor('clamp', 'x', x);
  if (!(typeof min === 'number' && typeof max === 'number' && min <= max)) {
    const hint = 'numbers min ≤ max are expected; Infinity is no bound, as in clamp(x, 0, Infinity)';
    throw new ValueError('clamp', `min is ${shown(min)}, max is ${shown(max)}`, hint);
  }
  return where(greater(x, max), max, where(less(x, min), min, x));
});
