import { shown, ValueError } from '../tensor/errors.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Layer } from './layer.ts';

/** Checks that the `forward` of a user's layer returned a tensor. */
export function expectOutput(layer: Layer, y: unknown): Tensor {
  if (y instanceof Tensor) return y;
  const hint =
    y instanceof Promise
      ? 'make forward synchronous: only reading values is awaited'
      : 'return one tensor: concat joins several';
  throw new ValueError(layer.toString(), `its forward returned ${shown(y)}`, hint);
}
