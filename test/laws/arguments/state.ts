/** What a refused call must leave as it was. */
import { DataLoader, deviceInfo, Layer, Optimizer, Tensor } from '../../../src/index.ts';
import { streams } from '../../../src/tensor/random.ts';

/** The state of all objects inside a value, and of the library: equal texts for equal states. */
export function stateOf(value: unknown): string {
  const random = Object.values(streams).map(({ state }) => state);
  return JSON.stringify([deviceInfo().device, random, plain(value, new Set())]);
}

function plain(value: unknown, outer: ReadonlySet<unknown>): unknown {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol')
    return String(value);
  if (typeof value === 'function') return value.name;
  if (typeof value !== 'object' || value === null || outer.has(value)) return value ?? String(value);
  const inside = new Set([...outer, value]);
  const list = (values: Iterable<unknown>) => Array.from(values, (each) => plain(each, inside));
  if (value instanceof Tensor) {
    const { shape, requiresGrad, grad } = value;
    return [shape, requiresGrad, list(value.dataSync()), plain(grad, inside)];
  }
  if (value instanceof Layer) {
    const modes = value.modules().map(({ training }) => training);
    return [modes, list(Object.values(value.stateDict())), list(value.parameters())];
  }
  if (value instanceof Optimizer) return [plain(value.stateDict(), inside), list(value.parameters)];
  if (value instanceof DataLoader) return value.epoch;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return list(value as unknown as Iterable<unknown>);
  if (Array.isArray(value)) return list(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return null;
  return Object.entries(value).map(([key, each]) => [key, plain(each, inside)]);
}
