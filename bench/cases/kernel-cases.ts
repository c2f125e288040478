/** The sizes at which kernels are timed: those of the network 784 → 300 → 100 → 10, and larger ones. */
import * as elementwiseKernels from '../../kernels/elementwise.ts';
import type * as kernels from '../../kernels/index.ts';
import type { Kernel, Params, Shape } from '../../kernels/kernel.ts';
import type { Groups } from '../../kernels/layernorm.ts';
import { below, type BenchmarkCase, ink, normal, positive } from './benchmark-case.ts';

type ParamsOf<K> = K extends Kernel<infer P> ? P : never;

/** Cases for every kernel. A missing one is a compile error. */
export type BenchmarkCases = {
  readonly [Name in keyof typeof kernels]: readonly BenchmarkCase<ParamsOf<(typeof kernels)[Name]>>[];
};

const hidden: Shape = [32, 300];
const input: Shape = [32, 784];
const large: Shape = [1024, 512];
const weight: Shape = [784, 300];
const activations: readonly Shape[] = [hidden, large];
const batches: readonly Shape[] = [input, hidden, large];

/** The elementwise kernels without parameters: they have a default case. */
type Plain = {
  [Name in keyof typeof elementwiseKernels]: Params extends ParamsOf<(typeof elementwiseKernels)[Name]>
    ? Name
    : never;
}[keyof typeof elementwiseKernels];

/** Elementwise kernels: all inputs have one shape. */
function elementwise<P extends Params>(
  inputs: number,
  params: P,
  rest: Omit<BenchmarkCase, 'shapes' | 'params'> & { readonly shapes?: readonly Shape[] } = {},
): BenchmarkCase<P>[] {
  const { shapes = activations, ...others } = rest;
  return shapes.map((shape) => ({ shapes: Array<Shape>(inputs).fill(shape), params, ...others }));
}

/** The default case of an elementwise kernel: normal values, at the sizes of activations. */
const plain = Object.fromEntries(
  Object.entries(elementwiseKernels).map(([name, { inputs }]) => [name, elementwise(inputs.length, {})]),
) as Record<Plain, BenchmarkCase[]>;

/** Matrices [m, C] followed by vectors [C]. */
function columns(
  matrices: number,
  vectors: number,
  rest: Pick<BenchmarkCase, 'draws' | 'statistics'> = {},
): BenchmarkCase<Record<string, never>>[] {
  return batches.map((shape) => ({
    shapes: [...Array<Shape>(matrices).fill(shape), ...Array<Shape>(vectors).fill([shape[1]])],
    params: {},
    ...rest,
  }));
}

/** Matrices [m, C] followed by vectors [C], then by vectors [m]. */
function rows(
  matrices: number,
  perColumn: number,
  perRow: number,
  rest: Pick<BenchmarkCase, 'draws' | 'statistics'> = {},
): BenchmarkCase<Groups>[] {
  return batches.map((shape) => ({
    shapes: [
      ...Array<Shape>(matrices).fill(shape),
      ...Array<Shape>(perColumn).fill([shape[1]]),
      ...Array<Shape>(perRow).fill([shape[0]]),
    ],
    params: { groups: 1 },
    ...rest,
  }));
}

/** Matrix products of the three layers at two batches, square ones, and one whose first input is images. */
function products(
  shapes: (m: number, inputs: number, outputs: number) => readonly Shape[],
  squares: readonly number[],
  inked = true,
): BenchmarkCase<Record<string, never>>[] {
  const layers = [32, 256].flatMap((m) => [shapes(m, 784, 300), shapes(m, 300, 100), shapes(m, 100, 10)]);
  const square = squares.map((n) => Array<Shape>(2).fill([n, n]));
  const images = inked ? [{ shapes: layers[0], params: {}, draws: [ink, normal], values: 'ink' }] : [];
  return [...[...layers, ...square].map((pair) => ({ shapes: pair, params: {} })), ...images];
}

const perColumn = { shapes: batches.map(([, C]): Shape => [C]) };
const update = { shapes: [weight] };
const lastAxis = [
  { shapes: [[32, 10]], params: { axis: 1 } },
  { shapes: [large], params: { axis: 1 } },
];
const twice = lastAxis.map(({ shapes, params }) => ({ shapes: [...shapes, ...shapes], params }));

export const benchmarkCases: BenchmarkCases = {
  // y = x·W, dx = g·Wᵀ, dW = xᵀ·g
  matmul: products(
    (m, inputs, outputs) => [
      [m, inputs],
      [inputs, outputs],
    ],
    [512, 1024],
  ),
  matmulTransposedB: products(
    (m, inputs, outputs) => [
      [m, outputs],
      [inputs, outputs],
    ],
    [512],
    false,
  ),
  matmulTransposedA: products(
    (m, inputs, outputs) => [
      [m, inputs],
      [m, outputs],
    ],
    [512],
  ),

  addBias: columns(1, 1),
  ...plain,
  div: elementwise(2, {}, { draws: [normal, positive] }),
  scale: elementwise(1, { factor: 0.5 }),
  scaleBy: [{ shapes: [input, [1]], params: {} }],
  pow: elementwise(1, { power: 2 }, { draws: [positive] }),
  powDx: elementwise(2, { power: 2 }, { draws: [normal, positive] }),
  log: elementwise(1, {}, { draws: [positive] }),
  sqrt: elementwise(1, {}, { draws: [positive] }),
  leakyRelu: elementwise(1, { slope: 0.3 }),
  leakyReluDx: elementwise(2, { slope: 0.3 }),

  // the bias of a layer, repeated over the batch
  repeatAxis: [{ shapes: [[1, 300]], params: { axis: 0, count: 32 } }],
  transpose: [
    { shapes: [weight], params: {} },
    { shapes: [large], params: {} },
  ],
  sliceAxis: [{ shapes: [large], params: { axis: 0, begin: 32, end: 64 } }],
  sliceAxisDx: [{ shapes: [[32, 512]], params: { axis: 0, begin: 32, extent: 1024 } }],
  concat: [{ shapes: [hidden, hidden], params: { axis: 1 } }],
  gather: [{ shapes: [[1024, 784], [32]], params: {}, draws: [normal, below(1024)] }],
  gatherDx: [{ shapes: [input, [32]], params: { extent: 1024 }, draws: [normal, below(1024)] }],

  sumAxis: [
    { shapes: [hidden], params: { axis: 0 } },
    { shapes: [large], params: { axis: 0 } },
    { shapes: [large], params: { axis: 1 } },
  ],
  maxAxis: lastAxis,
  argmaxAxis: lastAxis,
  maxAxisDx: [
    {
      shapes: [
        [32, 1],
        [32, 10],
        [32, 1],
      ],
      params: { axis: 1 },
      draws: [normal, normal, below(10)],
    },
    { shapes: [[1024, 1], large, [1024, 1]], params: { axis: 1 }, draws: [normal, normal, below(512)] },
  ],
  softmax: lastAxis,
  softmaxDx: twice,
  logSoftmax: lastAxis,
  logSoftmaxDx: twice,
  crossEntropy: [
    { shapes: [[32, 10], [32]], params: { smoothing: 0 }, draws: [normal, below(10)] },
    { shapes: [[1024, 512], [1024]], params: { smoothing: 0.1 }, draws: [normal, below(512)] },
  ],
  crossEntropyDx: [
    { shapes: [[32], [32, 10], [32]], params: { smoothing: 0 }, draws: [normal, normal, below(10)] },
    { shapes: [[1024], large, [1024]], params: { smoothing: 0.1 }, draws: [normal, normal, below(512)] },
  ],

  colMean: columns(1, 0),
  colVariance: columns(1, 1, { statistics: [1] }),
  reciprocalStd: elementwise(1, { eps: 1e-5 }, { ...perColumn, draws: [positive], statistics: [0] }),
  normalize: columns(1, 2, { draws: [normal, normal, positive], statistics: [1, 2] }),
  scaleShift: columns(1, 2),
  runningAverage: elementwise(
    2,
    { alpha: 0.1, correction: 32 / 31 },
    { ...perColumn, statistics: [1], inPlace: true },
  ),
  foldedScale: elementwise(2, {}, { ...perColumn, statistics: [1] }),
  foldedShift: elementwise(3, {}, { ...perColumn, statistics: [1] }),
  colSum: columns(1, 0),
  colDot: columns(2, 0),
  batchnormDx: columns(2, 4, { statistics: [3] }),

  rowMean: rows(1, 0, 0),
  rowVariance: rows(1, 0, 1, { statistics: [1] }),
  normalizeRows: rows(1, 0, 2, { draws: [normal, normal, positive], statistics: [1, 2] }),
  rowSum: rows(1, 1, 0),
  rowDot: rows(2, 1, 0),
  layernormDx: rows(2, 1, 3, { statistics: [3] }),

  assign: elementwise(2, {}, { ...update, inPlace: true }),
  blend: elementwise(2, { alpha: 0.9, beta: 0.1 }, { ...update, inPlace: true }),
  secondMoment: elementwise(2, { decay: 0.999 }, { ...update, draws: [positive, normal], inPlace: true }),
  centeredMoment: elementwise(2, {}, { ...update, draws: [positive, normal] }),
  divideByRoot: elementwise(2, { correction: 0.5, eps: 1e-8 }, { ...update, draws: [normal, positive] }),
};
