/** The record of what was computed, which `backward` walks. */
import { GraphError } from './errors.ts';
import type { Tensor } from './tensor.ts';

/** One op that ran, with what its backward pass needs. */
export interface Node {
  /** Grows with time, so an op always has a larger one than the ops that made its inputs. */
  readonly id: number;
  readonly op: string;
  inputs: readonly Tensor[];
  /** The inputs' versions when the op ran. */
  versions: readonly number[];
  /** The thunks, given the gradient of the result; null once `backward` has freed the graph. */
  backward: ((g: Tensor) => readonly (() => Tensor)[]) | null;
  /** What only this op and its backward pass know of: freed with the graph. */
  memory: Tensor[];
  /** The number of the last walk that came here. */
  visit: number;
}

let taping = true;
let nodes = 0;

export function isTaping(): boolean {
  return taping;
}

export function nextNodeId(): number {
  return nodes++;
}

/**
 * Calls `fn` without recording it: what it computes needs no gradient, and costs no memory for one.
 *
 * @returns What `fn` returns.
 * @throws {GraphError} `fn` is asynchronous; the rest of it would run while recording is on again.
 * @example
 * ```ts
 * import { noGrad, tensor } from 'gammabeta';
 *
 * const w = tensor([1, 2], { requiresGrad: true });
 * const y = noGrad(() => w.mul(3));
 * console.log(y.requiresGrad); // false
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  const before = taping;
  taping = false;
  try {
    const result = fn();
    if (result instanceof Promise) {
      throw new GraphError(
        'noGrad',
        'the function is asynchronous',
        'await outside, and call noGrad around what computes',
      );
    }
    return result;
  } finally {
    taping = before;
  }
}
