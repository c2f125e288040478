/**
 * Batches of no rows, as in PyTorch: every op, layer and optimizer accepts them, forward and backward, and the
 * gradient of everything that is not empty is 0. The tables are typed over all names: one that is missing does not
 * compile.
 */
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../kernels/kernel.ts';
import { LINEAR } from '../../kernels/fused/dense.ts';
import * as library from '../../src/index.ts';
import { type Layer, ones, randn, ShapeError, type Tensor, ValueError, zeros } from '../../src/index.ts';
import * as batchNorms from '../../src/layers/batchnorm1d.ts';
import * as layerNorms from '../../src/layers/layernorm.ts';
import * as merged from '../../src/layers/fuse.ts';
import { joined } from '../../src/tensor/functions/concat.ts';
import * as tensorOps from '../../src/tensor/ops.ts';
import { optimizers, variants } from '../optim/helpers.ts';
import { expectError } from '../tensor/expect-error.ts';
import { inAllPrecisions } from '../on-devices.ts';
import { read } from '../tensors.ts';

const ops = { ...tensorOps, concat: joined };

/** A call on inputs of these shapes: the shape of its result, which contains only zeros, or the error it throws. */
interface Case {
  readonly shapes: readonly Shape[];
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly y: Shape | typeof ShapeError | typeof ValueError;
}

const rows: Shape = [0, 3];
const unary = (fn: Case['fn']): Case[] => [{ shapes: [rows], fn, y: rows }];
const binary = (fn: Case['fn']): Case[] => [{ shapes: [rows, rows], fn, y: rows }];
/** An op along an axis: along the empty axis, and along the other one. */
const alongAxis = (fn: (x: Tensor, axis: number) => Tensor, over0: Case['y'], over1: Case['y']): Case[] =>
  [over0, over1].map((y, axis) => ({ shapes: [rows], fn: (x) => fn(x, axis), y }));

type LayerOps = Omit<
  typeof batchNorms & typeof layerNorms & typeof merged,
  'BatchNorm1d' | 'LayerNorm' | 'fuse'
>;

const opCases: Readonly<Record<keyof typeof ops | keyof LayerOps, readonly Case[]>> = {
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: binary(ops.maximum),
  scale: unary((x) => ops.scale(x, 2)),
  pow: unary((x) => ops.pow(x, 2)),
  exp: unary(ops.exp),
  log: unary(ops.log),
  sqrt: unary(ops.sqrt),
  abs: unary(ops.abs),
  relu: unary(ops.relu),
  leakyRelu: unary((x) => ops.leakyRelu(x, 0.1)),
  sigmoid: unary(ops.sigmoid),
  tanh: unary(ops.tanh),
  // m, k and n are 0: a product over no terms is 0
  matmul: [
    [0, 3, 2],
    [2, 0, 3],
    [2, 3, 0],
    [9, 0, 33],
    [0, 0, 0],
  ].map(([m, k, n]) => ({
    shapes: [
      [m, k],
      [k, n],
    ],
    fn: ops.matmul,
    y: [m, n],
  })),
  transpose: [{ shapes: [rows], fn: ops.transpose, y: [3, 0] }],
  addBias: [
    { shapes: [rows, [3]], fn: ops.addBias, y: rows },
    { shapes: [[0, 70], [70]], fn: ops.addBias, y: [0, 70] },
  ],
  sum: alongAxis(ops.sum, [1, 3], [0, 1]),
  max: alongAxis(ops.max, ShapeError, [0, 1]),
  softmax: alongAxis(ops.softmax, rows, rows),
  logSoftmax: alongAxis(ops.logSoftmax, rows, rows),
  expand: [
    { shapes: [[1, 3]], fn: (x) => ops.expand(x, rows), y: rows },
    { shapes: [[3]], fn: (x) => ops.expand(x, [2, 0, 3]), y: [2, 0, 3] },
    { shapes: [rows], fn: (x) => ops.expand(x, [2, 0, 3]), y: [2, 0, 3] },
  ],
  reshape: [{ shapes: [rows], fn: (x) => ops.reshape(x, [2, 0, 7]), y: [2, 0, 7] }],
  slice: [
    { shapes: [rows], fn: (x) => ops.slice(x, 1, 1, 3), y: [0, 2] },
    { shapes: [[2, 3]], fn: (x) => ops.slice(x, 0, 1, 1), y: rows },
  ],
  gather: [
    { shapes: [[2, 3]], fn: (x) => x.gather([]), y: rows },
    { shapes: [rows], fn: (x) => x.gather([]), y: rows },
    { shapes: [rows], fn: (x) => x.gather([0]), y: ValueError },
  ],
  concat: [
    { shapes: [rows], fn: (x) => ops.concat(0, x), y: rows },
    { shapes: [rows, rows, rows], fn: (...xs) => ops.concat(0, ...xs), y: rows },
    { shapes: [rows, [0, 4]], fn: (...xs) => ops.concat(1, ...xs), y: [0, 7] },
  ],
  batchNorm: [
    {
      shapes: [rows, [3], [3]],
      fn: (...xs) => batchNorms.batchNorm(...(xs as [Tensor, Tensor, Tensor]), 1e-5),
      y: ShapeError,
    },
  ],
  batchNormEval: [
    {
      shapes: [rows, [3], [3]],
      fn: (x, gamma, beta) =>
        batchNorms.batchNormEval(x, gamma, beta, { mean: gamma.detach(), variance: gamma.detach() }, 1e-5),
      y: rows,
    },
  ],
  layerNorm: [
    {
      shapes: [rows, [3], [3]],
      fn: (x, gamma, beta) => layerNorms.layerNorm(x, gamma, beta, 1, 1e-5),
      y: rows,
    },
  ],
  denseActivation: [0, 0.1, LINEAR].flatMap((slope) => {
    const fn = (x: Tensor, W: Tensor, b: Tensor) => merged.denseActivation(x, W, b, slope);
    return [
      { shapes: [rows, [3, 2], [2]], fn, y: [0, 2] },
      { shapes: [[0, 300], [300, 70], [70]], fn, y: [0, 70] },
    ];
  }),
  batchNormDense: [
    {
      shapes: [rows, [3], [3], [3, 2], [2]],
      fn: (x, gamma, beta, W, b) => merged.batchNormDense(x, gamma, beta, W, b, { eps: 1e-5, slope: 0 }),
      y: ShapeError,
    },
  ],
};

/** The names of the methods of `Tensor` that return a tensor. */
type Method = {
  [K in keyof Tensor]: Tensor[K] extends (...args: never[]) => Tensor ? K : never;
}[keyof Tensor];

/** The methods that are not an op of the same name. */
const methodCases: Readonly<Record<Exclude<Method, keyof typeof ops | 'like'>, readonly Case[]>> = {
  neg: unary((x) => x.neg()),
  detach: unary((x) => x.detach().add(x)),
  flatten: [{ shapes: [rows], fn: (x) => x.flatten(), y: [0] }],
  mean: [
    ...alongAxis((x, axis) => x.mean(axis), ValueError, [0]),
    { shapes: [rows], fn: (x) => x.mean(), y: ValueError },
  ],
  variance: [
    ...alongAxis((x, axis) => x.variance(axis), ValueError, [0]),
    ...alongAxis((x, axis) => x.variance(axis, { unbiased: true, keepDims: true }), ValueError, [0, 1]),
  ],
  argmax: alongAxis((x, axis) => x.argmax(axis).add(x.sum(1)), ShapeError, [0]),
};

/** The names of the layer classes that the library exports. */
type LayerName = {
  [K in keyof typeof library]: (typeof library)[K] extends new (...args: never[]) => Layer ? K : never;
}[keyof typeof library];

interface LayerCase {
  readonly make: (dtype: library.DType) => Layer;
  readonly x: Shape;
  readonly y: Shape;
  /** Whether it throws in training, where the statistics of the batch are needed. */
  readonly onlyEvaluates?: boolean;
}

const { BatchNorm1d, Dense, Dropout, Flatten, LeakyReLU, ReLU, Sequential, Sigmoid, Softmax, Tanh } = library;
const same = (make: LayerCase['make']): LayerCase[] =>
  [rows, [2, 0], [0, 2, 3]].map((x) => ({ make, x, y: x }));

/** A layer of batch normalization that has seen a batch. */
const trained = (dtype: library.DType): Layer => {
  const layer = new BatchNorm1d(3, { dtype });
  layer.forward(randn([4, 3], { dtype }));
  return layer;
};

/** `Embedding` gives its input, which holds indices, no gradient: its own test has no rows. */
const layerCases: Readonly<Record<Exclude<LayerName, 'Embedding'>, readonly LayerCase[]>> = {
  BatchNorm1d: [
    { make: trained, x: rows, y: rows, onlyEvaluates: true },
    { make: trained, x: [0, 3, 5], y: [0, 3, 5], onlyEvaluates: true },
    { make: trained, x: [4, 3, 0], y: [4, 3, 0], onlyEvaluates: true },
  ],
  Dense: [
    { make: (dtype) => new Dense(3, 2, { dtype }), x: rows, y: [0, 2] },
    { make: (dtype) => new Dense(3, 2, { dtype, bias: false }), x: rows, y: [0, 2] },
  ],
  Dropout: same(() => new Dropout(0.5)),
  Flatten: [{ make: () => new Flatten(), x: [0, 2, 3], y: [0, 6] }],
  GroupNorm: [1, 3].flatMap((groups) =>
    [rows, [0, 3, 5], [4, 3, 0]].map((x) => ({
      make: (dtype) => new library.GroupNorm(groups, 3, { dtype }),
      x,
      y: x,
    })),
  ),
  Identity: same(() => new library.Identity()),
  LayerNorm: [rows, [0, 2, 3], [2, 0, 3]].map((x) => ({
    make: (dtype) => new library.LayerNorm(3, { dtype }),
    x,
    y: x,
  })),
  LeakyReLU: same(() => new LeakyReLU(0.1)),
  ReLU: same(() => new ReLU()),
  Sigmoid: same(() => new Sigmoid()),
  Softmax: same(() => new Softmax()),
  Tanh: same(() => new Tanh()),
  Sequential: [
    {
      make: (dtype) => new Sequential(new Dense(3, 40, { dtype }), new ReLU(), new Dense(40, 2, { dtype })),
      x: rows,
      y: [0, 2],
    },
    {
      make: (dtype) => new Sequential(trained(dtype), new Dense(3, 2, { dtype }), new ReLU()),
      x: rows,
      y: [0, 2],
      onlyEvaluates: true,
    },
  ],
};

const isShape = (y: Case['y']): y is Shape => Array.isArray(y);

inAllPrecisions(({ dtype }) => {
  /** Expects a result that contains only zeros, and gradients of 0, each in the shape of its value. */
  async function expectZeros(y: Tensor, shape: Shape, leaves: readonly Tensor[]): Promise<void> {
    expect(y.shape).toEqual(shape);
    expect((await read(y)).filter((value) => value !== 0)).toEqual([]);
    y.sum().backward();
    for (const x of leaves) {
      expect(x.grad?.shape).toEqual(x.shape);
      expect(await read(x.grad)).toEqual(Array<number>(x.size).fill(0));
    }
  }

  const all: [string, readonly Case[]][] = [...Object.entries(opCases), ...Object.entries(methodCases)];
  describe.each(all)('%s', (_name, cases) => {
    it.each(cases.map((one, k) => ({ k, ...one })))('call $k: $shapes', async ({ shapes, fn, y }) => {
      const inputs = shapes.map((shape) => ones(shape, { dtype, requiresGrad: true }));
      if (isShape(y)) await expectZeros(fn(...inputs), y, inputs);
      else expectError(() => fn(...inputs), y, /^\w+: .*\[/);
    });
  });

  describe.each(Object.entries(layerCases))('%s', (_name, cases) => {
    for (const mode of ['training', 'evaluation']) {
      it.each(cases)(`$x, in ${mode}`, async ({ make, x: shape, y, onlyEvaluates }) => {
        const layer = make(dtype).train(mode === 'training');
        const x = zeros(shape, { dtype, requiresGrad: true });
        if (mode === 'training' && onlyEvaluates) {
          const before = layer.stateDict();
          expectError(() => layer.forward(x), ValueError, /0 values per feature/);
          const after = layer.stateDict();
          for (const [name, value] of Object.entries(before))
            expect(await read(after[name])).toEqual(await read(value));
        } else await expectZeros(layer.forward(x), y, [x, ...layer.parameters()]);
      });
    }
  });

  describe('optimizers', () => {
    it.each(variants)('$kind updates a parameter without elements: $options', async ({ kind, options }) => {
      const params = [rows, [3]].map((shape) => ones(shape, { dtype, requiresGrad: true }));
      const optimizer = optimizers[kind](params, options);
      for (let t = 0; t < 2; t++) {
        optimizer.zeroGrad();
        params[0].sum().add(params[1].sum()).backward();
        expect((await read(library.clipGradNorm(params, 10)))[0]).toBeCloseTo(Math.sqrt(3), 5);
        optimizer.step();
      }
      expect(await read(params[0])).toEqual([]);
      expect((await read(params[1])).every((w) => w < 1)).toBe(true);
    });
  });
});
