/** Copies of tensors, and values that are written into tensors. */
import * as kernels from '../../kernels/update.ts';
import { constant, run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';

/** The same values in memory of their own. */
export function copy(x: Tensor): Tensor {
  return run(kernels.assign, [x, x]);
}

/** Overwrites a tensor in place: every holder of it sees the new values. The shapes must be equal. */
export function assign(target: Tensor, source: Tensor): void {
  const isAtHome = source.dtype === target.dtype && source.home === target.home;
  runInPlace(kernels.assign, [target, isAtHome ? source : constant(target, source.dataSync(), target.shape)]);
}
