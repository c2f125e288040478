/** Copying tensors, and writing values into them in place. */
import { assign as assignKernel } from '../../kernels/update.ts';
import { constant, run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';
import type { Value } from './value.ts';

/** A copy of a tensor, in new memory. Not recorded. */
export function copy<T extends Value>(x: T): T {
  return run(assignKernel, [x, x]);
}

/**
 * target ← source, in place: every reference to `target` sees the new values. A source of another element type or on
 * another device is converted.
 *
 * @throws {ShapeError} The shapes differ.
 * @throws {DeviceError} The source is on another device, which cannot be read synchronously.
 */
export function assign(target: Tensor, source: Tensor): void {
  const isAtHome = source.dtype === target.dtype && source.home === target.home;
  runInPlace(assignKernel, [target, isAtHome ? source : constant(target, source.dataSync(), target.shape)]);
}
