import { reveal } from './memory.ts';
import { isComposite } from './op.ts';
import { Value } from './value.ts';

/**
 * Calls a function that may be the user's: a layer, an op, a loss, a metric, an optimizer. User code may keep the tensors
 * that it is given, and what it computes. A function that was declared by `composite` keeps nothing.
 */
export function callUser<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  if (isComposite(fn)) return fn(...args);
  return reveal(
    args.filter((arg) => arg instanceof Value),
    () => fn(...args),
  );
}
