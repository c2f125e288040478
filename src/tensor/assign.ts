/** Copying tensors, and writing values into them in place. */
import { assign as assignKernel } from '../../kernels/update.ts';
import { expectTensor, ValueError } from './errors.ts';
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
 * another device is converted. Not recorded. Use it in an optimizer of your own.
 *
 * @throws {ValueError} An argument is not a tensor, or `target` is the result of an op.
 * @throws {ShapeError} The shapes differ.
 * @throws {DeviceError} The source is on another device, which cannot be read synchronously.
 * @example
 * ```ts
 * import { assign, type LearningRate, Optimizer, type Slots, tensor, type Tensor } from 'gammabeta';
 *
 * // w ← w − lr·sign(g)
 * class SignSGD extends Optimizer<LearningRate> {
 *   protected override kind(): string {
 *     return 'SignSGD';
 *   }
 *   protected override check({ lr }: LearningRate): void {
 *     if (!(lr > 0)) throw new RangeError(`lr is ${lr}`);
 *   }
 *   protected override update(w: Tensor, g: Tensor, slots: Slots, { lr }: LearningRate): void {
 *     assign(w, w.sub(g.div(g.abs().add(1e-30)).mul(lr)));
 *   }
 * }
 *
 * const w = tensor([1, -2], { requiresGrad: true });
 * const optimizer = new SignSGD([w], { lr: 0.5 });
 * w.pow(2).sum().backward();
 * optimizer.step();
 * console.log(w.toArray()); // [ 0.5, -1.5 ]
 * ```
 */
export function assign(target: Tensor, source: Tensor): void {
  for (const x of [target, source]) expectTensor('assign', x === target ? 'target' : 'source', x);
  if (target.node !== null) {
    const hint = 'assign to a parameter or another leaf';
    throw new ValueError('assign', 'the target is the result of an op', hint);
  }
  runInPlace(assignKernel, [target, isAtHome(target, source) ? source : converted(target, source)]);
}

/**
 * A copy of the source, with the element type and on the device of the target.
 *
 * @param least The least value that is accepted. A GPU is not read only for this check.
 * @throws {ValueError} The source has a smaller value, or one in float64 that float32 cannot hold.
 * @throws {DeviceError} The source cannot be read.
 */
export function converted(target: Tensor, source: Tensor, least?: number): Tensor {
  const isNear = isAtHome(target, source);
  if (isNear && (least === undefined || source.home.lost !== undefined)) return copy(source);
  const values = source.dataSync();
  const round = target.dtype === 'float32' ? Math.fround : Number;
  const isTooSmall = (x: number): boolean => least !== undefined && x < least;
  const wrong = values.find((x) => isTooSmall(x) || (Number.isFinite(x) && !Number.isFinite(round(x))));
  if (wrong === undefined) return isNear ? copy(source) : constant(target, values, target.shape);
  const hint = isTooSmall(wrong) ? `values ≥ ${least} are expected` : 'float32 holds at most ±3.4e38';
  throw new ValueError('assign', `it has the value ${wrong}`, hint);
}

function isAtHome(target: Tensor, source: Tensor): boolean {
  return source.dtype === target.dtype && source.home === target.home;
}
