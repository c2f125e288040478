/** Copies of tensors, and values that are written into tensors. */
import { assign as assignKernel } from '../../kernels/update.ts';
import { constant, run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';
import type { Value } from './value.ts';

/** The same values in memory of their own. */
export function copy<T extends Value>(x: T): T {
  return run(assignKernel, [x, x]);
}

/** Overwrites a tensor in place: every holder of it sees the new values. The shapes must be equal. */
export function assign(target: Tensor, source: Tensor): void {
  const isAtHome = source.dtype === target.dtype && source.home === target.home;
  runInPlace(assignKernel, [target, isAtHome ? source : constant(target, source.dataSync(), target.shape)]);
}
