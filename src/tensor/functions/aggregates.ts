/** Reductions that are composed of others. */
import { div, reluDx, scale, sqrt } from '../../../kernels/elementwise.ts';
import { resolveAxis, withExtent } from '../../../kernels/shape.ts';
import { expandTo } from '../broadcast.ts';
import { expectOptions, expectTensor } from '../errors.ts';
import { composite, constant, op, run } from '../op.ts';
import type { Op } from '../op-definition.ts';
import * as ops from '../ops.ts';
import { joined } from './concat.ts';
import { type Axes, reduce } from '../reduction.ts';
import type { Tensor } from '../tensor.ts';
import type { VarianceOptions } from '../tensor-types.ts';
import type { Value } from '../value.ts';

export type Reduce = (x: Tensor, axis?: Axes, keepDims?: boolean) => Tensor;

/**
 * The smallest value over one axis, several axes, or all axes by default. NaN if a value is NaN. Among equal values, the
 * first receives the gradient.
 * @throws {ShapeError} An axis does not exist, is given twice or is empty.
 * @example
 * ```ts
 * import { min, tensor } from 'gammabeta';
 *
 * console.log(min(tensor([[1, 5], [3, 4]]), 1).toArray()); // [ 1, 3 ]
 * ```
 */
export const min: Reduce = composite((x, axis, keepDims = false) =>
  reduce('min', ops.max, expectTensor('min', 'x', x).neg(), axis, keepDims).neg(),
);

/**
 * The index of the smallest value along an axis; among equal values, the first. Not differentiable.
 * @throws {ShapeError} The axis does not exist or is empty.
 * @example
 * ```ts
 * import { argmin, tensor } from 'gammabeta';
 *
 * console.log(argmin(tensor([[1, 5], [4, 3]]), 1).toArray()); // [ 0, 1 ]
 * ```
 */
export const argmin: (x: Tensor, axis: number) => Tensor = composite((x, axis) =>
  expectTensor('argmin', 'x', x)
    .neg()
    .argmax(resolveAxis('argmin', x.shape, axis)),
);

/**
 * The standard deviation √((1/n) Σ (x − mean)²), or with n − 1 if `unbiased`. Biased by default, as `variance` and NumPy;
 * PyTorch's default is unbiased. The gradient at 0, where all values are equal, is 0, as in PyTorch.
 *
 * @throws {ShapeError} An axis does not exist or is given twice.
 * @throws {ValueError} The tensor is empty, `unbiased` is set and there is only one value, or an option is unknown.
 * @example
 * ```ts
 * import { std, tensor } from 'gammabeta';
 *
 * console.log(std(tensor([[1, 3], [2, 8]]), 1).toArray()); // [ 1, 3 ]
 * ```
 */
export const std: (x: Tensor, axis?: Axes, options?: VarianceOptions) => Tensor = composite(
  (x, axis, options = {}) => {
    expectOptions('std', options, ['unbiased', 'keepDims']);
    return root(expectTensor('std', 'x', x).variance(axis, options));
  },
);

/**
 * The Euclidean norm √(Σ x²) over one axis, several axes, or all axes by default. The gradient at 0 is 0, as in PyTorch.
 * @throws {ShapeError} An axis does not exist or is given twice.
 * @example
 * ```ts
 * import { norm, tensor } from 'gammabeta';
 *
 * console.log(norm(tensor([[3, 4], [6, 8]]), 1).toArray()); // [ 5, 10 ]
 * ```
 */
export const norm: Reduce = composite((x, axis, keepDims = false) => {
  const squares = expectTensor('norm', 'x', x).mul(x);
  return root(reduce('norm', ops.sum, squares, axis, keepDims));
});

/** y = √x, with the gradient 0 at x = 0, where that of `sqrt` is infinite. */
const root: Op<[x: Value]> = op({
  name: 'sqrt',
  forward: (x) => run(sqrt, [x]),
  backward: (g, y) => [() => run(reluDx, [run(scale, [run(div, [g, y])], { factor: 1 / 2 }), y])],
});

/**
 * The product over one axis, several axes, or all axes by default; 1 over an empty axis. Gradients are right where values
 * are 0, too.
 * @throws {ShapeError} An axis does not exist or is given twice.
 * @example
 * ```ts
 * import { prod, tensor } from 'gammabeta';
 *
 * console.log(prod(tensor([[1, 2], [3, 4]]), 1).toArray()); // [ 2, 12 ]
 * ```
 */
export const prod: Reduce = composite((x, axis, keepDims = false) =>
  reduce('prod', prodAxis, expectTensor('prod', 'x', x), axis, keepDims),
);

/** The product over one axis, which is kept with extent 1: the first half times the second, until one value is left. */
function prodAxis(x: Tensor, axis: number): Tensor {
  let y = x;
  for (let n = x.shape[axis]; n > 1; n = y.shape[axis]) {
    const half = Math.floor(n / 2);
    const part = (begin: number, end: number): Tensor => ops.slice(y, axis, begin, end);
    const pairs = ops.mul(part(0, half), part(half, 2 * half));
    y = n % 2 === 0 ? pairs : joined(axis, pairs, part(n - 1, n));
  }
  return y.shape[axis] === 1 ? y : expandTo(constant(x, [1], []), withExtent(x.shape, axis, 1));
}
