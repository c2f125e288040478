import type { Kernel } from '../../../kernels/kernel.ts';
import { concat } from '../../../kernels/concat.ts';
import { sliceAxis } from '../../../kernels/layout.ts';
import { matmul, matmulTransposedA, matmulTransposedB } from '../../../kernels/matmul.ts';
import { formatShape } from '../../../kernels/shape.ts';
import { view } from '../broadcast.ts';
import { expectTensor, ShapeError } from '../errors.ts';
import { constant, op, run } from '../op.ts';
import type { Op } from '../op-definition.ts';
import type { Tensor } from '../tensor.ts';
import type { Value } from '../value.ts';

/**
 * The products of two stacks of matrices: y[s] = a[s]·b[s]. [s, m, k], [s, k, n] → [s, m, n], as PyTorch's `bmm`.
 * @throws {ShapeError} The shapes are not [s, m, k] and [s, k, n].
 * @example
 * ```ts
 * import { bmm, tensor } from 'gammabeta';
 *
 * const a = tensor([[[1, 2]], [[3, 4]]]);
 * const b = tensor([[[1], [1]], [[10], [10]]]);
 * console.log(bmm(a, b).toArray()); // [ [ [ 3 ] ], [ [ 70 ] ] ]
 * ```
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  const [stack, , inner] = expectTensor('bmm', 'a', a).shape;
  const [otherStack, rows] = expectTensor('bmm', 'b', b).shape;
  if (a.shape.length === 3 && b.shape.length === 3 && stack === otherStack && inner === rows)
    return products(a, b);
  const hint = 'stacks of matrices are [s, m, k] and [s, k, n]; matmul takes two matrices';
  throw new ShapeError('bmm', `shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`, hint);
}

const products: Op<[a: Value, b: Value]> = op({
  name: 'bmm',
  forward: (a, b) => each(matmul, a, b),
  backward: (g, _y, a, b) => [
    () => each(matmulTransposedB, g, b), // da = g·bᵀ
    () => each(matmulTransposedA, a, g), // db = aᵀ·g
  ],
});

/** The stack of the products of the matrices in two stacks. */
function each<T extends Value>(product: Kernel, a: T, b: T): T {
  const matrix = (x: T, s: number): T =>
    view(run(sliceAxis, [x], { axis: 0, begin: s, end: s + 1 }), x.shape.slice(1));
  const shape = product.shape([a.shape.slice(1), b.shape.slice(1)], {});
  const [stack] = a.shape;
  if (stack === 0) return constant(a, [], [0, ...shape]);
  const all = Array.from({ length: stack }, (_, s) =>
    view(run(product, [matrix(a, s), matrix(b, s)]), [1, ...shape]),
  );
  return run(concat, all, { axis: 0 });
}
