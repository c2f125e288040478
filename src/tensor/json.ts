/** Tensors as JSON. */
import type { Shape } from '../../kernels/kernel.ts';
import type { DType } from './device/device.ts';
import { shown, ValueError } from './errors.ts';
import type { Value } from './value.ts';

/** A tensor in JSON. `tensor(data, { shape, dtype })` makes it again. */
export interface TensorJson {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The values, in order. */
  readonly data: readonly number[];
}

/**
 * The shape, the element type and the values of a tensor.
 *
 * @throws {ValueError} A value is not finite: JSON has no NaN and no infinity, and `JSON.stringify` would write null.
 * @throws {DeviceError} The device cannot read synchronously.
 */
export function toJson(x: Value): TensorJson {
  const data = Array.from(x.home.readSync(x.storage));
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return { shape: x.shape, dtype: x.dtype, data };
  const hint = 'save it with encodeCheckpoint, or convert the values of t.dataSync() first';
  throw new ValueError(
    'toJSON',
    `value ${wrong} is ${shown(data[wrong])}, which JSON cannot represent`,
    hint,
  );
}
