/** Copying tensors, and writing values into them in place. */
import { assign as assignKernel } from '../../kernels/update.ts';
import { ValueError } from './errors.ts';
import { composite, constant, run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';
import type { Value } from './value.ts';

/** Runs library code that updates tensors in place, and frees its temporaries. */
export const inPlace: (update: () => void) => void = composite((update) => {
  update();
});

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
  runInPlace(assignKernel, [target, isAtHome(target, source) ? source : converted(target, source)]);
}

/**
 * A copy of the source, with the element type and on the device of the target.
 *
 * @param least The least value that is accepted. A GPU is not read only for this check.
 * @throws {ValueError} The source has a smaller value, or one in float64 that float32 cannot hold.
 * @throws {DeviceError} The source cannot be read.
 */
export function converted(target: Tensor, source: Tensor, least: number = -Infinity): Tensor {
  const isNear = isAtHome(target, source);
  if (isNear && (least === -Infinity || source.home.lost !== undefined)) return copy(source);
  const values = source.dataSync();
  const round = target.dtype === 'float32' ? Math.fround : Number;
  const wrong = values.find((x) => x < least || (Number.isFinite(x) && !Number.isFinite(round(x))));
  if (wrong === undefined) return isNear ? copy(source) : constant(target, values, target.shape);
  const hint = wrong < least ? `values ≥ ${least} are expected` : 'float32 holds at most ±3.4e38';
  throw new ValueError('assign', `it has the value ${wrong}`, hint);
}

function isAtHome(target: Tensor, source: Tensor): boolean {
  return source.dtype === target.dtype && source.home === target.home;
}
