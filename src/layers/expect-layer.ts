import { shown, ValueError } from '../tensor/errors.ts';
import { Layer } from './layer.ts';

/**
 * Returns the value if it is a layer. `op` and `name` are for the error message.
 * @throws {ValueError} It is not.
 */
export function expectLayer<L extends Layer>(op: string, value: L, name = 'the model'): L {
  const given: unknown = value;
  if (given instanceof Layer) return value;
  const isClass = typeof given === 'function' && given.prototype instanceof Layer;
  const hint = isClass ? `make an instance: new ${given.name}(…)` : 'pass a layer, such as a Sequential';
  throw new ValueError(op, `${name} is not a layer: ${shown(given)}`, hint);
}
