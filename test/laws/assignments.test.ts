/** Assignments from JavaScript: to what other libraries let one assign, and of values that TypeScript refuses. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  Adam,
  assign,
  BatchNorm1d,
  DataLoader,
  Dropout,
  GammaBetaError,
  LeakyReLU,
  SGD,
  tensor,
  useDevice,
} from '../../src/index.ts';

beforeEach(() => useDevice('cpu'));

const set = (target: object, name: string, value: unknown): boolean => Reflect.set(target, name, value);
const get = (target: object, name: string): unknown => Reflect.get(target, name);

function hintOf(target: object, name: string, value: unknown): string {
  const before = get(target, name);
  try {
    set(target, name, value);
  } catch (error) {
    expect(get(target, name)).toEqual(before);
    if (error instanceof GammaBetaError) return error.hint;
    throw error;
  }
  throw new Error(`${name} was set`);
}

const data = () => ({ x: new Float32Array([1, 2, 3, 4]), shape: [2], labels: new Uint8Array([0, 1]) });
const loader = () => new DataLoader(data(), { batchSize: 2 });
const leaf = () => tensor([[1, 2], [3, 4], [5, 6]], { requiresGrad: true }); // prettier-ignore
const sgd = () => new SGD([leaf()], { lr: 0.1 });

const refusals: readonly [name: string, make: () => object, member: string, values: readonly unknown[]][] = [
  ['tensor', () => leaf(), 'shape', [[2, 3], [3, 2], null]],
  ['tensor', () => leaf(), 'size', [6, 3]],
  ['tensor', () => leaf(), 'dtype', ['float64', 'int32']],
  ['tensor', () => leaf(), 'device', ['wasm', 'cpu']],
  ['tensor', () => leaf(), 'data', [new Float32Array(6), leaf()]],
  ['tensor', () => leaf(), 'grad', [[1, 2], 0, undefined]],
  ['tensor', () => leaf(), 'requiresGrad', ['true', 1, null]],
  ['optimizer', sgd, 'lr', ['0.1', -1, NaN, null]],
  ['optimizer', sgd, 'parameters', [[], [leaf()]]],
  ['optimizer', () => new Adam([leaf()]), 'lr', [[0.1], Infinity]],
  ['BatchNorm1d', () => new BatchNorm1d(2), 'training', ['false', 0]],
  ['DataLoader', loader, 'epoch', [-1, '1']],
]; // prettier-ignore

describe('an assignment is refused, with a hint, and changes nothing:', () => {
  it.each(refusals)('%s', (_, make, member, values) => {
    for (const value of values) expect(hintOf(make(), member, value)).not.toBe('');
  });
});

describe('an assignment that takes effect:', () => {
  it('settings of layers, as if the layer had been made with them', () => {
    const x = tensor([[1, 2], [3, 5]]); // prettier-ignore
    const bn = new BatchNorm1d(2);
    for (const [name, value] of Object.entries({ eps: 1, momentum: 0.5, runningVariance: 'biased' })) {
      set(bn, name, value);
    }
    const made = new BatchNorm1d(2, { eps: 1, momentum: 0.5, runningVariance: 'biased' });
    expect(bn.forward(x)).toEqual(made.forward(x));
    expect(bn.stateDict()).toEqual(made.stateDict());

    const dropout = new Dropout(0.9);
    set(dropout, 'p', 0);
    expect(dropout.forward(x)).toEqual(x);

    const leaky = new LeakyReLU(0.5);
    set(leaky, 'slope', 0.25);
    expect(leaky.forward(tensor([-1])).toArray()).toEqual([-0.25]);
  });

  it('the hints for tensors: reshape, a new tensor, assign', () => {
    const t = leaf();
    expect(t.reshape([2, 3]).shape).toEqual([2, 3]);
    const again = tensor(t.dataSync(), { shape: t.shape, dtype: 'float64' });
    expect([again.dtype, again.toArray()]).toEqual(['float64', t.toArray()]);
    assign(t, tensor(new Float32Array(6), { shape: [3, 2] }));
    expect(t.toArray()).toEqual([[0, 0], [0, 0], [0, 0]]); // prettier-ignore
  });
});
