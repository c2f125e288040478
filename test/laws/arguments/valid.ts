/**
 * Valid arguments of all public functions, constructors, methods and settable properties. A call with one of them
 * replaced by a wrong value shows whether that one is checked.
 *
 * The table has a line for each exported name: a new one without a line is a compile error.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as library from '../../../src/index.ts';
import * as networks from '../../../src/networks.ts';
import * as node from '../../../src/node.ts';
import type * as onnx from '../../../src/onnx.ts';
import { encodeIdx } from '../../data/encode-idx.ts';

type Library = typeof library & typeof networks & typeof onnx;
/** Functions of `gammabeta/node` that have the name of another one of `gammabeta`, such as `node.loadWeights`. */
type NodeOnly = { [K in keyof typeof node as K extends keyof Library ? `node.${K}` : K]: (typeof node)[K] };
type Api = Library & NodeOnly;

type Fn = (...args: never[]) => unknown;
type ErrorClass = abstract new (...args: never[]) => Error;
type NameOf<K extends keyof Api, Kind> = K extends keyof Api ? (Api[K] extends Kind ? K : never) : never;

export type FunctionName = NameOf<keyof Api, Fn>;
export type ClassName = Exclude<
  NameOf<keyof Api, { readonly prototype: object }>,
  FunctionName | NameOf<keyof Api, ErrorClass>
>;
type ConstructorName = NameOf<ClassName, new (...args: never[]) => object>;
type Instance<K extends ClassName> = Api[K]['prototype'];

/** Makes the arguments of a call; several ways, if no single call has a value at each place. */
export type Cases<A extends readonly unknown[]> = (() => A) | readonly (() => A)[];

type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type Members<I> = {
  readonly [M in keyof I]?: I[M] extends Fn ? Cases<ArgumentsOf<I[M]>> : Cases<[I[M]]>;
};

interface ClassCases<K extends ClassName> {
  /** An object to call the methods of. */
  readonly on: () => Instance<K>;
  /** Members that need another object. */
  readonly onOthers?: Readonly<Partial<Record<string, () => Instance<K> | Promise<Instance<K>>>>>;
  readonly members: Members<Instance<K>>;
}

const { tensor, Dense, Sequential, SGD, DataLoader } = library;
type Tensor = library.Tensor;

const rows = (): number[][] => [[1, 2], [3, 5]]; // prettier-ignore
const x = (): Tensor => tensor(rows());
const leaf = (): Tensor => tensor([1, 2], { requiresGrad: true });
const model = (): library.Sequential => new Sequential(new Dense(2, 2));
const data = (): library.Dataset => ({
  x: new Float32Array([1, 2, 3, 4]),
  shape: [2],
  labels: new Uint8Array([0, 1]),
  targetShape: [1],
  divisor: 1,
  mean: [0, 0],
  deviation: [1, 1],
});
/** Two numbers as the target of each example. */
const regression = (): library.Dataset => ({
  x: new Float32Array([1, 2, 3, 4]),
  shape: [2],
  labels: new Float32Array([1, 2, 3, 4]),
  targetShape: [2],
  mean: [0, 0],
  deviation: [1, 1],
});
const regressionLoss: library.Loss = (y, targets) => library.mse(y, tensor(targets, { shape: y.shape }));
const loader = (): library.DataLoader => new DataLoader(data(), { batchSize: 2 });
const options = (): library.TensorOptions => ({ dtype: 'float32', requiresGrad: false });
const optimizer = (params = [leaf()]): library.SGD => new SGD(params, { lr: 0.1 });
const withGradient = (): Tensor => {
  const w = leaf();
  w.sum().backward();
  return w;
};
const parts = (): Required<library.CheckpointParts> => {
  const net = model();
  return { model: net, optimizer: optimizer(net.parameters()), loader: loader() };
};
const bytes = await library.encodeCheckpoint(parts());
const weights = library.encodeWeights(model());

// ── files ──────────────────────────────────────────────────────────────────────────────────────────────

const folder = mkdtempSync(join(tmpdir(), 'gammabeta-arguments-'));
const at = (name: string): string => join(folder, name);
writeFileSync(at('data_batch_1.bin'), new Uint8Array(3073));
writeFileSync(at('test_batch.bin'), new Uint8Array(3073));
for (const part of ['train', 't10k']) {
  const images = encodeIdx({ shape: [1, 28, 28], dtype: 'uint8', data: new Uint8Array(784) });
  writeFileSync(at(`${part}-images-idx3-ubyte`), images);
  writeFileSync(
    at(`${part}-labels-idx1-ubyte`),
    encodeIdx({ shape: [1], dtype: 'uint8', data: new Uint8Array(1) }),
  );
}
await node.saveCheckpoint(at('saved.safetensors'), parts());
await node.saveWeights(at('saved-weights.safetensors'), model());
const { MNIST_DIR, CIFAR10_DIR, GAMMABETA_CACHE } = process.env;
// A wrong `dir` must not reach the data of whoever runs the tests.
process.env.MNIST_DIR = process.env.CIFAR10_DIR = folder;
process.env.GAMMABETA_CACHE = at('cache');

/** Removes the files, and restores the environment. */
export function cleanUp(): void {
  rmSync(folder, { recursive: true });
  Object.assign(process.env, { MNIST_DIR, CIFAR10_DIR, GAMMABETA_CACHE });
  for (const [name, value] of Object.entries({ MNIST_DIR, CIFAR10_DIR, GAMMABETA_CACHE })) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
  }
}

const source = (): node.MnistOptions => ({
  dir: folder,
  verify: false,
  download: false,
  signal: new AbortController().signal,
  onProgress: () => undefined,
});

let exported = 0;

const training = (sgd: library.Optimizer<library.LearningRate>) => ({
  optimizer: sgd,
  loss: library.crossEntropy,
  metrics: { accuracy: library.accuracy },
  clipGradNorm: 1,
});

// ── functions ──────────────────────────────────────────────────────────────────────────────────────────

const operands: Cases<[Tensor, library.Operand]> = [() => [x(), x()], () => [x(), rows()]];
const initializer = (): [number[], library.TensorOptions] => [[2, 3], options()];

export const functions: { readonly [K in FunctionName]: Cases<ArgumentsOf<Api[K]>> } = {
  accuracy: () => [x(), [0, 1], { ignoreIndex: -100 }],
  arange: () => [0, 4, 1, options()],
  argmin: () => [x(), 0],
  assign: () => [leaf(), leaf()],
  bceWithLogits: () => [x(), [0, 1, 1, 0], { reduction: 'mean', weight: [1, 2], posWeight: [1, 2] }],
  binaryAccuracy: () => [tensor([1, 2]), [0, 1], { threshold: 0 }],
  bmm: () => [tensor([[[1]]]), tensor([[[1]]])],
  clamp: () => [x(), 0, 1],
  clipGradNorm: () => [[withGradient()], 1],
  concat: () => [[x(), x()], 0],
  cosineDecay: () => [0.1, { steps: 4, minimum: 0 }],
  crossEntropy: () => [
    x(),
    [0, 1],
    { reduction: 'mean', labelSmoothing: 0, ignoreIndex: -100, weight: [1, 2] },
  ],
  dataset: [
    () => [[[1, 2], [3, 4]], [[0], [1]], { shape: [2], targetShape: [1] }], // prettier-ignore
    () => [[1, 2], [0, 1], {}],
  ],
  decodeCheckpoint: () => [bytes],
  decodeSafetensors: () => [weights],
  defineOp: () => [
    { name: 'double', forward: (a) => (a as Tensor).mul(2), backward: (g) => [() => g.mul(2)] },
  ],
  deviceInfo: () => [],
  digits: () => [{ count: 1, seed: 1 }],
  encodeSafetensors: () => [{ w: { dtype: 'F32', shape: [2], data: new Float32Array(2) } }, { key: 'value' }],
  encodeWeights: () => [model(), { layout: 'gammabeta' }],
  encodeCheckpoint: [
    () => [{ ...parts(), epoch: 1, extra: { key: 1 } }],
    () => [{ ...parts(), epoch: 1, extra: [1] }],
  ],
  equal: operands,
  evaluate: [
    () => [model(), data(), { metrics: { accuracy: library.accuracy } }],
    () => [model(), loader(), { metrics: { accuracy: library.accuracy } }],
    () => [model(), regression(), { loss: regressionLoss }],
  ],
  exportPyTorch: () => {
    const { model: net, ...others } = parts();
    return [net, { ...others, directory: at(`exported-${exported++}`), validation: 0 }];
  },
  eye: () => [2, options()],
  fit: [
    () => {
      const { model: net, optimizer: sgd, loader: train } = parts();
      const settings = { ...training(sgd), train, validation: data(), epochs: 1, initialEpoch: 0 };
      const callbacks = { onBatch: () => undefined, onEpoch: () => undefined };
      const earlyStopping = {
        monitor: 'loss',
        patience: 1,
        minDelta: 0,
        mode: 'min',
        restoreBest: true,
      } as const;
      return [net, { ...settings, ...callbacks, earlyStopping, schedule: () => 0.1, fallback: false }];
    },
    () => {
      const { model: net, optimizer: sgd } = parts();
      const schedule = { by: 'epoch', rate: () => 0.1 } as const;
      return [
        net,
        {
          optimizer: sgd,
          loss: regressionLoss,
          train: regression(),
          validation: regression(),
          epochs: 1,
          schedule,
        },
      ];
    },
  ],
  freeze: () => [model()],
  full: () => [[2, 2], 1, options()],
  gelu: () => [x()],
  glorotNormal: initializer,
  glorotUniform: initializer,
  gradcheck: () => [
    (a: Tensor) => a.mul(a),
    [tensor([1], { dtype: 'float64', requiresGrad: true })],
    { eps: 1e-6, rtol: 1e-5, atol: 1e-7, seed: 0 },
  ],
  greater: operands,
  greaterEqual: operands,
  heNormal: initializer,
  heUniform: initializer,
  huber: () => [x(), [1, 2, 3, 5], { reduction: 'mean', delta: 1 }],
  kaimingUniform: initializer,
  less: operands,
  lessEqual: operands,
  linspace: () => [0, 1, 3, options()],
  loadCheckpoint: () => [at('saved.safetensors'), parts()],
  loadCifar10: () => [source()],
  loadMnist: () => [source()],
  loadWeights: () => [model(), library.encodeWeights(model()), { layout: 'gammabeta', strict: true }],
  'node.loadWeights': () => [model(), at('saved-weights.safetensors'), { layout: 'gammabeta', strict: true }],
  manualSeed: () => [0],
  min: [() => [x(), 0, true], () => [x(), [0], true]],
  minimum: operands,
  mse: () => [x(), [1, 2, 3, 5], { reduction: 'mean' }],
  noGrad: () => [() => 1],
  norm: [() => [x(), 0, true], () => [x(), [0], true]],
  normalize: () => [data(), { mean: [0, 0], deviation: [1, 1] }],
  onBackward: () => [model(), () => undefined],
  onForward: () => [model(), () => undefined],
  notEqual: operands,
  oneHot: () => [[0, 1], 2, options()],
  ones: () => [[2, 2], options()],
  parseCifar10: () => [new Uint8Array(3073)],
  parseIdx: () => [encodeIdx({ shape: [1], dtype: 'uint8', data: new Uint8Array(1) })],
  permutation: () => [4, 0, 0],
  permute: () => [x(), [1, 0]],
  predict: [
    () => [model(), data(), { batchSize: 2 }],
    () => [model(), regression(), { batchSize: 2 }],
    () => [model(), [[1, 2], [3, 4]], { batchSize: 2 }], // prettier-ignore
  ],
  prod: [() => [x(), 0, true], () => [x(), [0], true]],
  randn: () => [[2, 2], options()],
  restoreCheckpoint: () => [bytes, parts()],
  saveCheckpoint: [
    () => [at('new.safetensors'), { ...parts(), epoch: 1, extra: { key: 1 } }],
    () => [at('new.safetensors'), { ...parts(), epoch: 1, extra: [1] }],
  ],
  saveWeights: () => [at('new-weights.safetensors'), model(), { layout: 'gammabeta' }],
  scope: () => [() => 1],
  softplus: () => [x()],
  split: [() => [data(), 1], () => [data(), { share: 0.5, shuffle: true, stratify: false, seed: 1 }]],
  squeeze: [() => [tensor([[1], [2]]), 1], () => [tensor([[1], [2]]), [1]]],
  stack: () => [[x(), x()], 0],
  std: [() => [x(), 0, { unbiased: true, keepDims: true }], () => [x(), [0], { unbiased: true }]],
  stepDecay: () => [0.1, { every: 2, factor: 0.5 }],
  summary: () => [model(), [2]],
  take: [() => [data(), 1], () => [regression(), 1]],
  tensor: [() => [[1, 2], { ...options(), shape: [2] }]],
  toOnnx: () => [model(), { input: [2], fold: true, opset: 17 }],
  trainStep: [
    () => {
      const { model: net, optimizer: sgd, loader: train } = parts();
      return [net, [...train][0], training(sgd)];
    },
    () => {
      const { model: net, optimizer: sgd } = parts();
      const [batch] = new DataLoader(regression(), { batchSize: 2 });
      return [net, batch, { optimizer: sgd, loss: regressionLoss }];
    },
  ],
  unfreeze: () => [library.freeze(model())],
  uniform: () => [[2, 2], 0, 1, options()],
  unsqueeze: () => [x(), 0],
  useDevice: [
    () => ['cpu', {}],
    () => ['wasm', { threads: 1 }],
    () => ['auto', { for: model(), batch: x() }],
  ],
  warmup: [() => [0.1, { steps: 2, start: 0.5 }], () => [() => 0.1, { steps: 2, start: 0.5 }]],
  where: [() => [x(), x(), x()], () => [x(), rows(), rows()]],
  zeros: () => [[2, 2], options()],
};

/**
 * Functions that functions return, such as schedules; functions in objects; and functions that use their arguments only
 * when their result is used.
 */
export const others: Readonly<
  Record<string, { readonly of: () => Fn; readonly args: Cases<readonly unknown[]> }>
> = {
  defineOp: {
    of: () => (definition: Parameters<typeof library.defineOp>[0]) => {
      library.defineOp(definition)<Tensor>(leaf()).sum().backward();
    },
    args: () => [
      { name: 'double', forward: (a: Tensor) => a.mul(2), backward: (g: Tensor) => [() => g.mul(2)] },
    ],
  },
  'cosineDecay()': { of: () => library.cosineDecay(0.1, { steps: 4 }), args: () => [1] },
  'stepDecay()': { of: () => library.stepDecay(0.1, { every: 4 }), args: () => [1] },
  'warmup()': { of: () => library.warmup(0.1, { steps: 4 }), args: () => [1] },
  'onBackward()': { of: () => library.onBackward(model(), () => undefined), args: () => [] },
  'onForward()': { of: () => library.onForward(model(), () => undefined), args: () => [] },
  'nets.plain': { of: () => networks.nets.plain, args: () => [] },
  'nets.bn': { of: () => networks.nets.bn, args: () => [] },
  'nets.bn-pre': { of: () => networks.nets['bn-pre'], args: () => [] },
};

// ── classes ────────────────────────────────────────────────────────────────────────────────────────────

export const constructors: {
  readonly [K in ConstructorName]: Cases<Api[K] extends new (...args: infer A) => object ? A : never>;
} = {
  Adam: [
    () => [[leaf()], { lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, amsgrad: false }],
    () => [[{ params: [leaf()], lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, amsgrad: false }]],
  ],
  AdamW: [
    () => [[leaf()], { lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, amsgrad: false }],
    () => [[{ params: [leaf()], lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, amsgrad: false }]],
  ],
  BatchNorm1d: () => [
    2,
    {
      eps: 1e-5,
      momentum: 0.1,
      affine: true,
      trackRunningStats: true,
      runningVariance: 'biased',
      dtype: 'float32',
    },
  ],
  DataLoader: [
    () => [data(), { batchSize: 1, shuffle: true, seed: 1, dropLast: false }],
    () => [regression(), { batchSize: 1 }],
  ],
  Dense: () => [2, 2, { bias: true, init: library.ones, dtype: 'float32' }],
  Dropout: () => [0.5],
  Embedding: () => [3, 2, { init: library.randn, dtype: 'float32' }],
  Flatten: () => [],
  GroupNorm: () => [1, 2, { eps: 1e-5, affine: true, dtype: 'float32' }],
  Identity: () => [],
  LayerNorm: () => [2, { eps: 1e-5, affine: true, dtype: 'float32' }],
  LeakyReLU: () => [0.1],
  RMSprop: [
    () => [[leaf()], { lr: 0.1, alpha: 0.9, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 }],
    () => [
      [{ params: [leaf()], lr: 0.1, alpha: 0.9, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 }],
    ],
  ],
  ReLU: () => [],
  Recovery: () => [{ model: model(), optimizer: optimizer() }],
  SGD: [
    () => [[leaf()], { lr: 0.1, momentum: 0.9, dampening: 0, nesterov: false, weightDecay: 0 }],
    () => [[{ params: [leaf()], momentum: 0.9, dampening: 0, nesterov: false, weightDecay: 0 }], { lr: 0.1 }],
  ],
  Sequential: [() => [new Dense(2, 2), new library.ReLU()], () => [[new Dense(2, 2), new library.ReLU()]]],
  Sigmoid: () => [],
  Softmax: () => [],
  Tanh: () => [],
};

const forward = (): [Tensor] => [x()];
const operand: Cases<[library.Operand]> = [() => [x()], () => [rows()]];

export const classes: { readonly [K in ClassName]: ClassCases<K> } = {
  Adam: { on: () => new library.Adam([leaf()]), members: {} },
  AdamW: { on: () => new library.AdamW([leaf()]), members: {} },
  BatchNorm1d: {
    on: () => new library.BatchNorm1d(2),
    members: { forward, resetRunningStats: () => [], toString: () => [] },
  },
  DataLoader: { on: loader, members: { epoch: () => [1] } },
  Dense: { on: () => new Dense(2, 2), members: { forward, toString: () => [] } },
  Dropout: { on: () => new library.Dropout(0.5), members: { forward, toString: () => [] } },
  Embedding: {
    on: () => new library.Embedding(9, 2),
    members: { forward, toString: () => [] },
  },
  Flatten: { on: () => new library.Flatten(), members: { forward, toString: () => [] } },
  GroupNorm: { on: () => new library.GroupNorm(1, 2), members: { forward, toString: () => [] } },
  Identity: { on: () => new library.Identity(), members: { forward, toString: () => [] } },
  Layer: {
    on: model,
    members: {
      bufferDict: () => [],
      eval: () => [],
      loadStateDict: () => [model().stateDict(), { strict: true }],
      modules: () => [],
      namedModules: () => [],
      namedParameters: () => [],
      parameters: () => [],
      stateDict: () => [],
      toJSON: () => [],
      toString: () => [],
      train: () => [true],
      training: () => [true],
    },
  },
  LayerNorm: { on: () => new library.LayerNorm(2), members: { forward, toString: () => [] } },
  LeakyReLU: { on: () => new library.LeakyReLU(), members: { forward, toString: () => [] } },
  Optimizer: {
    on: () => optimizer([withGradient()]),
    members: {
      lr: () => [0.1],
      loadStateDict: () => {
        const other = new SGD([withGradient()], { lr: 0.1, momentum: 0.9 });
        other.step();
        const { groups, slots, ...rest } = other.stateDict();
        return [{ ...rest, groups, slots }];
      },
      stateDict: () => [],
      toJSON: () => [],
      step: () => [],
      zeroGrad: () => [],
    },
  },
  RMSprop: { on: () => new library.RMSprop([leaf()]), members: {} },
  ReLU: { on: () => new library.ReLU(), members: { forward, toString: () => [] } },
  Recovery: {
    on: () => new library.Recovery({ model: model(), optimizer: optimizer() }),
    onOthers: {
      resume: async () => {
        const recovery = new library.Recovery({ model: model(), optimizer: optimizer() });
        await recovery.save();
        return recovery;
      },
    },
    members: { save: () => [], resume: () => ['cpu'] },
  },
  SGD: { on: () => optimizer(), members: {} },
  Sequential: { on: model, members: { forward, toString: () => [] } },
  Sigmoid: { on: () => new library.Sigmoid(), members: { forward, toString: () => [] } },
  Softmax: { on: () => new library.Softmax(), members: { forward, toString: () => [] } },
  Tanh: { on: () => new library.Tanh(), members: { forward, toString: () => [] } },
  Tensor: {
    on: x,
    onOthers: { backward: () => tensor(rows(), { requiresGrad: true }).mul(2), item: () => tensor(1) },
    members: {
      abs: () => [],
      add: operand,
      argmax: () => [0],
      backward: () => [x()],
      data: () => [],
      dataSync: () => [],
      detach: () => [],
      div: operand,
      exp: () => [],
      flatten: () => [],
      gather: () => [[0, 1]],
      grad: () => [x()],
      item: () => [],
      leakyRelu: () => [0.1],
      log: () => [],
      logSoftmax: () => [0],
      matmul: operand,
      max: [() => [0, true], () => [[0], true]],
      maximum: operand,
      mean: [() => [0, true], () => [[0], true]],
      mul: operand,
      neg: () => [],
      pow: () => [2],
      relu: () => [],
      requiresGrad: () => [true],
      reshape: () => [[4]],
      sigmoid: () => [],
      slice: [() => [0, 1], () => [[0, 0], [1, 1]]], // prettier-ignore
      softmax: () => [0],
      sqrt: () => [],
      sub: operand,
      sum: [() => [0, true], () => [[0], true]],
      tanh: () => [],
      toArray: () => [],
      toJSON: () => [],
      toString: () => [],
      transpose: () => [],
      variance: [() => [0, { unbiased: true, keepDims: true }], () => [[0], { unbiased: true }]],
    },
  },
};
