/** The types of ops and of their definitions, which `op` and `defineOp` take. */
import type { Tensor } from './tensor.ts';
import type { Value } from './value.ts';

/** A result of `forward` that keeps more than y for `backward`: an object of `y` and other values. */
export interface Kept {
  readonly y: Value;
}

/**
 * What `op` and `defineOp` take: the name of an op, its forward pass and its backward pass. A are the arguments, Y is the
 * result of `forward`, T is the class of the gradients.
 */
export interface OpDefinition<
  A extends readonly unknown[],
  Y extends Value | Kept,
  T extends Value = Tensor,
> {
  /** The name of the op in error messages. */
  readonly name: string;
  /** Computes the result. The ops that it calls are not recorded. */
  readonly forward: (...args: A) => Y;
  /**
   * Returns one thunk for each tensor among the arguments, in order. `g` is the gradient of the result and has its
   * shape; `y` is what `forward` returned. Each thunk returns a gradient of the shape of its input.
   */
  readonly backward: (g: T, y: Y, ...args: A) => readonly (() => T)[];
}

/**
 * A differentiable function. The tensors among its arguments are its inputs; other arguments (an axis, a slope) are
 * constants. All inputs, and the result, are of one class T.
 */
export type Op<A extends readonly unknown[]> = <T extends Value>(
  ...args: { [K in keyof A]: A[K] extends Value ? T : A[K] }
) => T;
