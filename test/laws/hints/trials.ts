/** For each hint that advises a call: an input that fails with it, and the advised call on that input. */
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  accuracy,
  assign,
  BatchNorm1d,
  clamp,
  clipGradNorm,
  concat,
  crossEntropy,
  DataLoader,
  dataset,
  decodeCheckpoint,
  Dense,
  encodeCheckpoint,
  encodeSafetensors,
  evaluate,
  fit,
  type FitSchedule,
  Flatten,
  full,
  gradcheck,
  Layer,
  type LearningRate,
  loadWeights,
  mse,
  noGrad,
  normalize,
  ones,
  Optimizer,
  type OptimizerState,
  parseIdx,
  predict,
  Recovery,
  ReLU,
  restoreCheckpoint,
  scope,
  Sequential,
  SGD,
  type Slots,
  split,
  stepDecay,
  Tensor,
  tensor,
  type TensorJson,
  trainStep,
  useDevice,
  zeros,
} from '../../../src/index.ts';
import { toOnnx } from '../../../src/onnx.ts';
import { encodeIdx } from '../../data/encode-idx.ts';

/** A call that throws, and the advised one, which must not. */
export interface Trial {
  readonly name: string;
  readonly fails: () => unknown;
  readonly advised: () => unknown;
}

/** A value of any type in the place of one that TypeScript checks. */
const untyped = (value: unknown): never => value as never;
/** Calls a method with any arguments. */
const call = (on: object, name: string, ...args: unknown[]): unknown =>
  Reflect.apply(Reflect.get(on, name) as (...args: unknown[]) => unknown, on, args);

const model = (): Sequential => new Sequential(new Dense(2, 2));
const w = (): Tensor => tensor([1, 2], { requiresGrad: true });
const sgd = (net: Layer): SGD => new SGD(net.parameters(), { lr: 0.1 });
const data = dataset([[1, 2], [3, 4]], [0, 1]); // prettier-ignore
const [batch] = new DataLoader(data, { batchSize: 2 });
const oneHot = [[0, 1], [1, 0]]; // prettier-ignore
const logits = (): Tensor => tensor([[1, 2], [3, 5]]); // prettier-ignore
const file = encodeIdx({ shape: [1], dtype: 'uint8', data: new Uint8Array(1) });
const ofPyTorch = encodeSafetensors({ weight: ones([2, 2]), bias: ones([2]) });

/** A layer with a field that is not registered. */
class Unregistered extends Layer {
  readonly inner: Layer;
  constructor(register: boolean) {
    super();
    const inner = new Dense(2, 2);
    this.inner = register ? this.addLayer('inner', inner) : inner;
  }
  override forward(x: Tensor): Tensor {
    return this.inner.forward(x);
  }
}

/** A layer that registers what a function says, with a forward pass that is given, or none. */
class Registering extends Layer {
  readonly made: unknown;
  constructor(
    register: (layer: Registering) => unknown,
    run: (x: Tensor, made: unknown) => Tensor = (x) => x,
  ) {
    super();
    this.made = register(this);
    this.run = run;
  }
  private readonly run: (x: Tensor, made: unknown) => Tensor;
  add(name: string, tensor: Tensor): Tensor {
    return this.addParameter(name, tensor);
  }
  buffer(name: string, tensor: Tensor): Tensor {
    return this.addBuffer(name, tensor);
  }
  inner(name: string): Layer {
    return this.addLayer(name, new Dense(2, 2));
  }
  override forward(x: Tensor): Tensor {
    return this.run(x, this.made);
  }
}

/** An optimizer without an update rule, and one with it. */
class Ruleless extends Optimizer<{ readonly lr: number }> {
  protected override kind(): string {
    return 'Ruleless';
  }
  protected override check(): void {
    // Every option is right.
  }
}
class Ruled extends Ruleless {
  protected override update(): void {
    // It changes nothing.
  }
}
/** An optimizer that has made a step. */
const sgdWithState = (): Optimizer<LearningRate> => {
  const x = w();
  const optimizer = new SGD([x], { lr: 1, momentum: 0.9 });
  x.sum().backward();
  optimizer.step();
  return optimizer;
};
/** A parsed state dict. */
interface Parsed extends Omit<OptimizerState, 'slots'> {
  readonly slots: readonly Readonly<Record<string, number | TensorJson>>[];
}
const step = (Kind: typeof Ruleless): void => {
  const x = w();
  x.sum().backward();
  new Kind([x], { lr: 1 }).step();
};

export const trials: readonly Trial[] = [
  {
    name: 'a schedule that is a number',
    fails: () => fitWith(untyped(0.1)),
    advised: async () => {
      const rate = stepDecay(0.1, { every: 100 });
      await fitWith(rate);
      await fitWith({ by: 'epoch', rate });
    },
  },
  {
    name: 'a layer that is registered without a name',
    fails: () => new Registering((layer) => layer.inner('')),
    advised: () => new Registering((layer) => layer.inner('inner')),
  },
  {
    name: 'a result of an op as a parameter',
    fails: () => new Registering((layer) => layer.add('scale', w().mul(2))),
    advised: () => {
      const t = w().mul(2);
      const leaf = tensor(t.dataSync(), { shape: t.shape, requiresGrad: true });
      return new Registering((layer) => layer.add('scale', leaf));
    },
  },
  {
    name: 'a parameter without a gradient',
    fails: () => new Registering((layer) => layer.add('scale', tensor([1]))),
    advised: () => {
      new Registering((layer) => layer.add('scale', tensor([1], { requiresGrad: true }))).parameters();
      return new Registering((layer) => layer.buffer('scale', tensor([1]))).stateDict();
    },
  },
  {
    name: 'a weight that was replaced',
    fails: () => {
      const net = model();
      Reflect.set(net.layers[0], 'weight', ones([2, 2]));
      return net.parameters();
    },
    advised: () => {
      const net = model();
      assign(net.parameters()[0], ones([2, 2]));
      return net.parameters();
    },
  },
  {
    name: 'a layer from outside in a forward pass',
    fails: () => {
      const outside = new Dense(2, 2);
      return new Registering(
        () => null,
        (x) => outside.forward(x),
      ).forward(logits());
    },
    advised: () =>
      new Registering(
        (layer) => layer.inner('inner'),
        (x, inner) => (inner as Layer).forward(x),
      ).forward(logits()),
  },
  {
    name: 'a tensor as a number',
    fails: () => Math.max(tensor(3) as Tensor & number, 0),
    advised: () => [Math.max(tensor(3).item(), 0), tensor(3).mul(2)],
  },
  {
    name: 'a layer without a forward pass',
    fails: () => {
      const Unfinished = class extends Registering {};
      Reflect.setPrototypeOf(Unfinished.prototype, Layer.prototype); // as if no class declared `forward`
      return new Unfinished(() => null).forward(logits());
    },
    advised: () => new Unregistered(true).forward(logits()),
  },
  {
    name: 'the state of an optimizer from JSON',
    fails: () => sgdWithState().loadStateDict(JSON.parse(JSON.stringify(sgdWithState())) as OptimizerState),
    advised: () => {
      const { slots, ...rest } = JSON.parse(JSON.stringify(sgdWithState())) as Parsed;
      const ready = slots.map((of): Slots =>
        Object.fromEntries(
          Object.entries(of).map(([name, slot]) => [
            name,
            typeof slot === 'number' ? slot : tensor(slot.data, { shape: slot.shape }),
          ]),
        ),
      );
      sgdWithState().loadStateDict({ ...rest, slots: ready });
    },
  },
  {
    name: 'a tensor from JSON',
    fails: () => tensor(JSON.parse(JSON.stringify(logits())) as never),
    advised: () => {
      const t = JSON.parse(JSON.stringify(logits())) as TensorJson;
      return tensor(t.data, { shape: t.shape });
    },
  },
  {
    name: 'a flat array for predict',
    fails: () => predict(model(), untyped(new Float32Array(2))),
    advised: async () => {
      await predict(model(), [new Float32Array(2)]);
      await predict(model(), ones([1, 2]));
      await predict(model(), { x: new Float32Array(2), shape: [2] });
      await predict(model(), new DataLoader(data, { batchSize: 2 }));
    },
  },
  {
    name: 'batch normalization without running statistics, as ONNX',
    fails: () => toOnnx(new BatchNorm1d(2, { trackRunningStats: false }), { input: [2] }),
    advised: () => toOnnx(new BatchNorm1d(2, { trackRunningStats: true }), { input: [2] }),
  },
  // ── tensors ──
  {
    name: 'nested arrays in place of a tensor',
    fails: () =>
      w()
        .mul(2)
        .backward(untyped([1, 1])),
    advised: () =>
      w()
        .mul(2)
        .backward(tensor([1, 1])),
  },
  {
    name: 'strings among numbers',
    fails: () => tensor(untyped(['1', '2'])),
    advised: () => tensor(['1', '2'].map((value) => Number(value))),
  },
  {
    name: 'a tensor of tensors',
    fails: () => tensor(untyped([tensor([1])])),
    advised: async () => tensor([await tensor([1]).data()]),
  },
  {
    name: 'tensors on different devices',
    fails: () => tensor([1], { device: 'cpu' }).add(tensor([1], { device: 'wasm' })),
    advised: async () => {
      const t = tensor([1], { device: 'wasm' });
      return tensor([1], { device: 'cpu' }).add(tensor(await t.data(), { shape: t.shape }));
    },
  },
  {
    name: 'a device that is not open',
    fails: () => tensor([1], { device: 'webgpu' }),
    advised: () => useDevice('cpu'),
  },
  {
    name: 'a model to be timed, on a device chosen by name',
    fails: () => useDevice('wasm', { for: new Dense(2, 2), batch: w() }),
    advised: () => useDevice('auto', { for: new Dense(2, 2), batch: tensor([[1, 2]]) }),
  },
  {
    name: 'a batch to be timed without a model',
    fails: () => useDevice('auto', { batch: w() }),
    advised: () => useDevice('auto', { for: new Dense(2, 2), batch: tensor([[1, 2]]) }),
  },
  {
    name: 'float64 on wasm',
    fails: () => tensor([1], { device: 'wasm', dtype: 'float64' }),
    advised: () => tensor([1], { device: 'cpu', dtype: 'float64' }),
  },
  {
    name: 'matmul with flags for transposition',
    fails: () => call(logits(), 'matmul', logits(), true),
    advised: () => logits().matmul(logits().transpose()),
  },
  {
    name: 'extents one by one',
    fails: () => call(logits(), 'reshape', 2, -1),
    advised: () => logits().reshape([2, -1]),
  },
  { name: 'item() of two values', fails: () => w().item(), advised: () => w().toArray() },
  {
    name: 'clamp between bounds in the wrong order',
    fails: () => clamp(w(), 1, 0),
    advised: () => clamp(w(), 0, Infinity),
  },
  {
    name: 'NaN in JSON',
    fails: () => JSON.stringify(full([1], NaN)),
    advised: () => JSON.stringify(Array.from(full([1], NaN).dataSync(), String)),
  },
  // ── gradients ──
  {
    name: 'backward() of a constant',
    fails: () => tensor([1]).sum().backward(),
    advised: () => tensor([1], { requiresGrad: true }).sum().backward(),
  },
  {
    name: 'backward() inside noGrad',
    fails: () => noGrad(() => w().sum()).backward(),
    advised: () => w().sum().backward(),
  },
  {
    name: 'backward() of two values',
    fails: () => w().mul(2).backward(),
    advised: () => w().mul(2).sum().backward(),
  },
  {
    name: 'gradients of gradients',
    fails: () => w().mul(2).backward(w()),
    advised: () => w().mul(2).backward(w().detach()),
  },
  {
    name: 'backward() twice',
    fails: () => {
      const y = w().sum();
      y.backward();
      y.backward();
    },
    advised: () => {
      const x = w();
      x.sum().add(x.mul(2).sum()).backward();
    },
  },
  {
    name: 'a step between the forward and the backward pass',
    fails: () => {
      const x = w();
      const y = x.mul(x).sum();
      x.sum().backward();
      new SGD([x], { lr: 1 }).step();
      y.backward();
    },
    advised: () => {
      const x = w();
      const y = x.mul(x).sum();
      y.backward();
      new SGD([x], { lr: 1 }).step();
    },
  },
  {
    name: 'gradcheck of float32',
    fails: () => gradcheck((x) => x.mul(x), [w()]),
    advised: () => gradcheck((x) => x.mul(x), [tensor([1], { dtype: 'float64', requiresGrad: true })]),
  },
  {
    name: 'gradcheck of constants',
    fails: () => gradcheck((x) => x.mul(x), [tensor([1], { dtype: 'float64' })]),
    advised: () => gradcheck((x) => x.mul(x), [tensor([1], { dtype: 'float64', requiresGrad: true })]),
  },
  // ── layers ──
  {
    name: 'nested arrays as the input of a model',
    fails: () => model().forward(untyped([[1, 2]])),
    advised: () => model().forward(tensor([[1, 2]])),
  },
  {
    name: 'the values of a batch as the input of a model',
    fails: () => model().forward(untyped(batch.x)),
    advised: () => model().forward(tensor(batch.x, { shape: batch.shape })),
  },
  {
    name: 'one example as the input of a dense layer',
    fails: () => new Dense(2, 2).forward(ones([2])),
    advised: () => new Dense(2, 2).forward(ones([2]).reshape([-1, 2])),
  },
  {
    name: 'images as the input of a dense layer',
    fails: () => new Dense(4, 2).forward(ones([3, 2, 2])),
    advised: () => new Dense(4, 2).forward(new Flatten().forward(ones([3, 2, 2]))),
  },
  {
    name: 'images as the input of batch normalization',
    fails: () => new BatchNorm1d(3).forward(ones([2, 3, 4, 4])),
    advised: () => new BatchNorm1d(3).forward(ones([2, 3, 4, 4]).reshape([2, 3, -1])),
  },
  {
    name: 'a batch of one row, normalized in training',
    fails: () => new BatchNorm1d(2).forward(ones([1, 2])),
    advised: () => {
      const norm = new BatchNorm1d(2);
      for (const each of new DataLoader(
        dataset(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          [0, 1, 0],
        ),
        { batchSize: 2, dropLast: true },
      ))
        // prettier-ignore
        norm.forward(tensor(each.x, { shape: each.shape }));
      return norm.eval().forward(ones([1, 2]));
    },
  },
  {
    name: 'a class in place of a layer',
    fails: () => new Sequential(untyped(ReLU)),
    advised: () => new Sequential(new ReLU()),
  },
  {
    name: 'a class in place of a model',
    fails: () => evaluate(untyped(Sequential), data),
    advised: () => evaluate(new Sequential(new Dense(2, 2)), data),
  },
  {
    name: 'a layer that is not registered',
    fails: () => new Unregistered(false).parameters(),
    advised: () => new Unregistered(true).parameters(),
  },
  {
    name: 'a state that is no object',
    fails: () => model().loadStateDict(untyped(null)),
    advised: () => model().loadStateDict(model().stateDict()),
  },
  {
    name: 'a state of nested arrays',
    fails: () => new Dense(2, 2).loadStateDict(untyped({ weight: [[1, 2], [3, 4]], bias: [1, 2] })), // prettier-ignore
    advised: () =>
      new Dense(2, 2).loadStateDict({
        weight: tensor([1, 2, 3, 4], { shape: [2, 2] }),
        bias: tensor([1, 2]),
      }),
  },
  {
    name: 'a state with too few entries',
    fails: () => new Dense(2, 2).loadStateDict({ weight: zeros([2, 2]) }),
    advised: () => new Dense(2, 2).loadStateDict({ weight: zeros([2, 2]) }, { strict: false }),
  },
  // ── losses ──
  {
    name: 'one-hot labels in nested arrays',
    fails: () => crossEntropy(logits(), untyped(oneHot)),
    advised: () => crossEntropy(logits(), tensor(oneHot).argmax(1)),
  },
  {
    name: 'one-hot labels in a tensor',
    fails: () => crossEntropy(logits(), tensor(oneHot)),
    advised: () => crossEntropy(logits(), tensor(oneHot).argmax(1)),
  },
  {
    name: 'labels that are BigInts',
    fails: () => crossEntropy(logits(), untyped(new BigInt64Array([0n, 1n]))),
    advised: () => crossEntropy(logits(), Array.from(new BigInt64Array([0n, 1n]), Number)),
  },
  {
    name: 'a mean over no rows',
    fails: () => crossEntropy(zeros([0, 2]), []),
    advised: () => crossEntropy(zeros([0, 2]), [], { reduction: 'sum' }),
  },
  {
    name: 'a mean over no values',
    fails: () => mse(zeros([0]), zeros([0])),
    advised: () => mse(zeros([0]), zeros([0]), { reduction: 'none' }),
  },
  // ── optimizers ──
  {
    name: 'a model in place of parameters',
    fails: () => new SGD(untyped(model()), { lr: 1 }),
    advised: () => sgd(model()),
  },
  { name: 'no parameters', fails: () => new SGD([], { lr: 1 }), advised: () => sgd(model()) },
  { name: 'an optimizer without a rule', fails: () => step(Ruleless), advised: () => step(Ruled) },
  {
    name: 'a closure for step()',
    fails: () => sgd(model()).step(untyped(() => w().sum())),
    advised: () => {
      w().sum().backward();
      sgd(model()).step();
    },
  },
  {
    name: 'clipping before the backward pass',
    fails: () => clipGradNorm([w()], 1),
    advised: () => {
      const x = w();
      x.sum().backward();
      return clipGradNorm([x], 1);
    },
  },
  {
    name: 'a gradient of another shape',
    fails: () => {
      const x = w();
      x.grad = ones([3]);
      new SGD([x], { lr: 1 }).step();
    },
    advised: () => {
      const x = w();
      x.grad = ones([2]);
      new SGD([x], { lr: 1 }).step();
    },
  },
  {
    name: 'a state that no optimizer returned',
    fails: () => sgd(model()).loadStateDict(untyped({})),
    advised: () => sgd(model()).loadStateDict(sgd(model()).stateDict()),
  },
  // ── data ──
  {
    name: 'rows in place of a dataset',
    fails: () => new DataLoader(untyped([[1, 2]]), { batchSize: 1 }),
    advised: () => new DataLoader(dataset([[1, 2]], [0]), { batchSize: 1 }),
  },
  {
    name: 'rows in one flat array',
    fails: () => dataset([1, 2, 3, 4], [0]),
    advised: () => dataset([1, 2, 3, 4], [0], { shape: [4] }),
  },
  {
    name: 'statistics that are none',
    fails: () => normalize(data, untyped({})),
    advised: () => normalize(data, normalize(data)),
  },
  {
    name: 'stratifying without shuffling',
    fails: () => split(data, { share: 0.5, shuffle: false, seed: 1 }),
    advised: () => split(data, { share: 0.5, seed: 1 }),
  },
  {
    name: 'a compressed file',
    fails: () => parseIdx(gzipSync(file)),
    advised: async () => {
      const stream = new Blob([new Uint8Array(gzipSync(file))])
        .stream()
        .pipeThrough(new DecompressionStream('gzip'));
      parseIdx(new Uint8Array(await new Response(stream).arrayBuffer()));
      return parseIdx(gunzipSync(gzipSync(file)));
    },
  },
  // ── training ──
  {
    name: 'data that is none',
    fails: () => evaluate(model(), untyped([[1, 2]])),
    advised: () => evaluate(model(), { x: data.x, shape: data.shape, labels: data.labels }),
  },
  {
    name: 'a controller in place of its signal',
    fails: () => evaluate(model(), data, { signal: untyped(new AbortController()) }),
    advised: () => evaluate(model(), data, { signal: new AbortController().signal }),
  },
  {
    name: 'a metric that returns a tensor',
    fails: () => evaluate(model(), data, { metrics: { mean: (y) => untyped(y.mean()) } }),
    advised: () => evaluate(model(), data, { metrics: { mean: async (y) => (await y.mean().data())[0] } }),
  },
  {
    name: 'no optimizer',
    fails: () => trainStep(model(), batch, untyped({})),
    advised: () => {
      const net = model();
      return trainStep(net, batch, { optimizer: new SGD(net.parameters(), { lr: 0.1 }) });
    },
  },
  {
    name: 'the optimizer of another model',
    fails: () => trainStep(model(), batch, { optimizer: sgd(model()) }),
    advised: () => {
      const net = model();
      return trainStep(net, batch, { optimizer: sgd(net) });
    },
  },
  {
    name: 'a last batch of one row for batch normalization',
    fails: () => fitWithLast(false),
    advised: () => fitWithLast(true),
  },
  {
    name: 'parts of a checkpoint',
    fails: async () =>
      restoreCheckpoint(await encodeCheckpoint({ model: model() }), { model: new Dense(3, 3) }),
    advised: async () => {
      const saved = decodeCheckpoint(await encodeCheckpoint({ model: model() }));
      model().loadStateDict(saved.model);
    },
  },
  {
    name: 'a tensor made by new',
    fails: (): unknown => Reflect.construct(Tensor, []) as unknown,
    advised: () => tensor([1]),
  },
  {
    name: 'metrics without names',
    fails: () => evaluate(model(), data, { metrics: untyped([accuracy]) }),
    advised: () => evaluate(model(), data, { metrics: { accuracy } }),
  },
  {
    name: 'a training step without a batch',
    fails: () => trainStep(model(), untyped(null), { optimizer: sgd(model()) }),
    advised: async () => {
      const net = model();
      await trainStep(net, batch, { optimizer: sgd(net) });
      const { x, shape, labels } = batch;
      await trainStep(net, { x, shape, labels }, { optimizer: sgd(net) });
    },
  },
  {
    name: 'a recovery without a saved state',
    fails: () => new Recovery({ model: model(), optimizer: sgd(model()) }).resume('cpu'),
    advised: async () => {
      const recovery = new Recovery({ model: model(), optimizer: sgd(model()) });
      await recovery.save();
      await recovery.resume('cpu');
    },
  },
  // ── files of other programs ──
  {
    name: 'a tensor without a shape',
    fails: () => encodeSafetensors(untyped([1])),
    advised: () => encodeSafetensors({ name: { shape: [1], data: new Float32Array(1) } }),
  },
  {
    name: 'a tensor with an unknown member',
    fails: () => encodeSafetensors(untyped({ name: { shape: [1], data: new Float32Array(1), type: 'F32' } })),
    advised: () => encodeSafetensors({ name: { dtype: 'F32', shape: [1], data: new Float32Array(1) } }),
  },
  {
    name: 'weights that fit in both layouts',
    fails: () => loadWeights(new Dense(2, 2), ofPyTorch),
    advised: () => {
      loadWeights(new Dense(2, 2), ofPyTorch, { layout: 'pytorch' });
      loadWeights(new Dense(2, 2), ofPyTorch, { layout: 'gammabeta' });
    },
  },
  {
    name: 'a tensor of a scope that has ended',
    fails: () => {
      let kept: Tensor | undefined;
      scope(() => {
        kept = concat([tensor([1], { device: 'wasm' }), tensor([2], { device: 'wasm' })], 0);
      });
      return kept?.dataSync();
    },
    advised: () =>
      scope(() => concat([tensor([1], { device: 'wasm' }), tensor([2], { device: 'wasm' })], 0)).dataSync(),
  },
];

async function fitWithLast(dropLast: boolean): Promise<unknown> {
  const net = new Sequential(new BatchNorm1d(2), new Dense(2, 2));
  const three = dataset([[1, 2], [3, 4], [5, 6]], [0, 1, 0]); // prettier-ignore
  return fit(net, {
    train: new DataLoader(three, { batchSize: 2, dropLast }),
    optimizer: sgd(net),
    epochs: 1,
  });
}

function fitWith(schedule: FitSchedule): Promise<unknown> {
  const net = new Dense(2, 2);
  return fit(net, { train: dataset([[1, 2]], [0]), optimizer: sgd(net), epochs: 1, schedule });
}

/** Hints with calls that no trial can follow, by a part of their text, and the reason. */
export const elsewhere: Readonly<Record<string, string>> = {
  'in Node, use saveWeights': 'needs a GPU',
  'copy the model to wasm first: restoreCheckpoint': 'needs a GPU',
  'await t.data(), which works on every device': 'needs a GPU',
  'to use it outside the scope() that': 'needs a GPU',
  'its tensors are gone': 'needs a GPU',
  'with the threads that are left': 'test/tensor/device/wasm/threads.test.ts',
  "useDevice('…') uses it anyway": 'needs a GPU',
  'download: true': 'uses the network',
  'loadMnist({ dir })': 'test/data/files/mnist.test.ts',
  'loadCifar10({ dir })': 'test/data/files/cifar10-file.test.ts',
  'verify: false': 'test/data/files/mnist.test.ts',
};
