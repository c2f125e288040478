/**
 * Values of the right type that are unusual: sparse arrays, arrays whose memory was transferred to a worker, shared memory,
 * circular models, objects that Vue would wrap in proxies. Each is taken, or refused with a hint.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  accuracy,
  bceWithLogits,
  clipGradNorm,
  concat,
  crossEntropy,
  DataLoader,
  dataset,
  decodeCheckpoint,
  decodeSafetensors,
  Dense,
  encodeCheckpoint,
  encodeSafetensors,
  encodeWeights,
  evaluate,
  fit,
  GammaBetaError,
  Layer,
  loadWeights,
  mse,
  normalize,
  ones,
  parseCifar10,
  parseIdx,
  permute,
  predict,
  ReLU,
  restoreCheckpoint,
  Sequential,
  SGD,
  split,
  squeeze,
  stack,
  type Tensor,
  tensor,
  useDevice,
  zeros,
} from '../../src/index.ts';
import { snapshot } from '../layers/helpers.ts';

beforeEach(() => useDevice('cpu'));

async function expectRefused(call: () => unknown): Promise<void> {
  const error = await Promise.resolve()
    .then(call)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(GammaBetaError);
  expect(String(error)).toMatch(/^\w+: [^:]+: .+\. Hint: .+/);
}

const untyped = (value: unknown): never => value as never;
const w = (): Tensor => ones([1], { requiresGrad: true });
const data = () => ({
  x: Float32Array.from({ length: 8 }, (_, i) => i),
  shape: [2],
  labels: new Uint8Array([0, 1, 0, 1]),
});
const model = () => new Sequential(new Dense(2, 3), new ReLU(), new Dense(3, 2));

/** An array with a hole at this index. `every`, `some`, `map` and `forEach` pass over it. */
function sparse(length: number, hole: number, fill: unknown = 1): never {
  const array = Array.from({ length }, () => fill);
  Reflect.deleteProperty(array, hole);
  return untyped(array);
}

/** The array, after its memory was sent to another thread. */
function transferred<T extends Float32Array | Uint8Array | Int32Array | ArrayBuffer>(array: T): T {
  const buffer = array instanceof ArrayBuffer ? array : array.buffer;
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  return array;
}

/** The array in memory that threads share. */
function shared<T extends Float32Array | Uint8Array>(array: T): T {
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(
    new SharedArrayBuffer(array.byteLength),
  );
  copy.set(array);
  return copy;
}

describe('a hole in an array is refused in', () => {
  const calls: Record<string, () => unknown> = {
    'values of a tensor': () => tensor(sparse(3, 1)),
    'rows of a tensor': () => tensor(sparse(3, 1, [1])),
    'a shape': () => zeros(sparse(3, 1)),
    'the shape of values': () => tensor([1], { shape: sparse(2, 0) }),
    'a new shape': () => ones([1]).reshape(sparse(2, 1)),
    axes: () => ones([1, 1]).sum(sparse(2, 0)),
    'axes of max': () => ones([1, 1]).max(sparse(2, 0)),
    'axes of permute': () => permute(ones([2, 2]), sparse(2, 0)),
    'axes of squeeze': () => squeeze(ones([1, 1]), sparse(2, 0)),
    'the range of slice': () => ones([2, 2]).slice(sparse(2, 0)),
    indices: () => ones([3]).gather(sparse(3, 1)),
    'an operand': () => ones([3]).add(sparse(3, 1)),
    'tensors to concatenate': () => concat(sparse(3, 1, ones([1])), 0),
    'tensors to stack': () => stack(sparse(3, 1, ones([1]))),
    parameters: () => new SGD(sparse(2, 1, w()), { lr: 1 }),
    'parameter groups': () => new SGD(sparse(2, 1, { params: [w()] }), { lr: 1 }),
    'parameters to clip': () => clipGradNorm(sparse(2, 1, w()), 1),
    layers: () => new Sequential(sparse(3, 1, new ReLU())),
    labels: () => crossEntropy(ones([2, 2]), sparse(2, 1)),
    'labels of a metric': () => accuracy(ones([2, 2]), sparse(2, 1)),
    targets: () => mse(ones([2]), sparse(2, 1)),
    'targets of probabilities': () => bceWithLogits(ones([2]), sparse(2, 1)),
    'rows of a dataset': () => dataset(sparse(3, 1, [1, 2]), [0, 1, 0]),
    'the shape of an example': () => new DataLoader({ ...data(), shape: sparse(2, 0) }, { batchSize: 2 }),
    'the shape of targets': () => split({ ...data(), targetShape: sparse(1, 0) }, 2),
    'the shape of a saved tensor': () =>
      encodeSafetensors({ a: { shape: sparse(2, 0), data: new Float32Array(1) } }),
  };
  it.each(Object.entries(calls))('%s', (_, call) => expectRefused(call));
});

describe('an array whose memory was transferred is refused as', () => {
  const bytes = () => transferred(new Uint8Array(16));
  const lost = () => transferred(new Float32Array(8));
  const calls: Record<string, () => unknown> = {
    'values of a tensor': () => tensor(lost()),
    'rows of a tensor': () => tensor([lost(), lost()]),
    'an operand': () => ones([8]).add(untyped(lost())),
    indices: () => ones([3]).gather(transferred(new Int32Array(2))),
    labels: () => crossEntropy(ones([4, 2]), transferred(new Uint8Array(4))),
    targets: () => mse(ones([8]), lost()),
    'x of a dataset': () => new DataLoader({ ...data(), x: lost() }, { batchSize: 2 }),
    'labels of a dataset': () => split({ ...data(), labels: transferred(new Uint8Array(4)) }, 2),
    'x of data to normalize': () => normalize({ ...data(), x: lost() }),
    'data to evaluate': () => evaluate(model(), { ...data(), x: lost() }),
    'data to predict': () => predict(model(), { x: lost(), shape: [2] }),
    'an IDX file': () => parseIdx(bytes()),
    'a CIFAR file': () => parseCifar10(transferred(new ArrayBuffer(3073))),
    'a safetensors file': () => decodeSafetensors(bytes()),
    weights: () => loadWeights(model(), transferred(new ArrayBuffer(16))),
    'a checkpoint': () => decodeCheckpoint(bytes()),
    'a tensor to save': () => encodeSafetensors({ a: { shape: [8], data: lost() } }),
  };
  it.each(Object.entries(calls))('%s', (_, call) => expectRefused(call));

  it('data of a loader, in the batch after it was sent', async () => {
    const mine = data();
    const loader = new DataLoader(mine, { batchSize: 1 });
    const net = model();
    let batches = 0;
    const onBatch = () => {
      if (++batches === 2) transferred(mine.x);
    };
    const optimizer = new SGD(net.parameters(), { lr: 0.1 });
    await expectRefused(() => fit(net, { train: loader, optimizer, epochs: 1, onBatch }));
    expect(batches).toBe(2);
  });
});

describe('memory that threads share is taken as', () => {
  it('values and data', async () => {
    expect(tensor(shared(new Float32Array([1, 2]))).toArray()).toEqual([1, 2]);
    const mine = { ...data(), x: shared(data().x), labels: shared(data().labels) };
    const net = model();
    expect(await evaluate(net, mine)).toEqual(await evaluate(net, data()));
  });

  it('files', async () => {
    const [from, to, restored] = [model(), model(), model()];
    loadWeights(to, shared(encodeWeights(from)));
    restoreCheckpoint(shared(await encodeCheckpoint({ model: from })), { model: restored });
    expect([snapshot(to), snapshot(restored)]).toEqual([snapshot(from), snapshot(from)]);
  });
});

describe('layers', () => {
  class Holder extends Layer {
    hold(layer: Layer): this {
      this.addLayer('held', layer);
      return this;
    }
    override forward(x: Tensor): Tensor {
      return x;
    }
  }

  it('that contain themselves are refused', async () => {
    const [a, b] = [new Holder(), new Holder()];
    await expectRefused(() => a.hold(a));
    a.hold(b);
    await expectRefused(() => b.hold(a));
    await expectRefused(() => b.hold(new Sequential(new ReLU(), a)));
    expect(a.modules()).toEqual([a, b]);
  });

  it('cannot be added to a Sequential that is made, where they would not be trained', () => {
    const net = model();
    expect(() => (net.layers as Layer[]).push(new ReLU())).toThrow(TypeError);
    expect(net.layers).toHaveLength(3);
  });

  it('may be in a model twice: they are trained once', async () => {
    const twice = new Dense(2, 2);
    const net = new Sequential(twice, new ReLU(), twice);
    expect(net.parameters()).toHaveLength(2);
    const optimizer = new SGD(net.parameters(), { lr: 0.1 });
    const { loss } = await fit(net, { train: data(), optimizer, epochs: 3 });
    expect(loss.every(Number.isFinite)).toBe(true);
  });
});

it('Vue does not wrap tensors, layers and loaders in proxies', () => {
  // `reactive` leaves objects with this property as they are: https://vuejs.org/api/reactivity-advanced#markraw
  for (const object of [ones([1]), model(), new DataLoader(data(), { batchSize: 1 })]) {
    expect(Reflect.get(object, '__v_skip')).toBe(true);
    expect(Object.keys(object)).not.toContain('__v_skip');
  }
});
