import { reveal } from './memory.ts';
import { isComposite, tensorsAmong } from './op.ts';

/**
 * Calls a function that the user may have written: the `forward` of a layer, a pass of an op, a loss, a metric, or the
 * `update` of an optimizer. Ops, composites and optimizer steps of the library call user code only through this
 * wrapper.
 *
 * User code may store every tensor that it receives or computes, for example to plot it later. So those tensors are
 * exempt from early freeing: see `reveal` in `memory.ts`. A function that the library declared with `composite`, such
 * as `crossEntropy`, stores nothing and is called directly.
 */
export function callUser<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  if (isComposite(fn)) return fn(...args);
  return reveal(tensorsAmong(args), () => fn(...args));
}
