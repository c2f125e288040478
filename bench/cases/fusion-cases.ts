/** The sizes at which fusions are timed: those of the network 784 → 300 → 100 → 10, and larger ones. */
import { LINEAR } from '../../kernels/fused/dense.ts';
import type { FusionParams } from '../../kernels/fused/fusion.ts';
import type * as fusions from '../../kernels/fused/index.ts';
import type { NoParams, Shape } from '../../kernels/kernel.ts';
import type { Groups } from '../../kernels/layernorm.ts';
import { below, type BenchmarkCase, type Draw, ink, normal, positive } from './benchmark-case.ts';

/** Cases for every fusion. A missing one is a compile error. */
export type FusionCases = {
  readonly [Name in keyof typeof fusions]: readonly BenchmarkCase<FusionParams<(typeof fusions)[Name]>>[];
};

const batches: readonly Shape[] = [
  [32, 784],
  [64, 512],
  [1024, 512],
];

/** The largest weight matrix: 235,200 elements. */
const weight: Shape = [784, 300];

const slope = 0.3; // of the network `plain`
const layers = [
  { inputs: 784, outputs: 300, slope },
  { inputs: 300, outputs: 100, slope },
  { inputs: 100, outputs: 10, slope: LINEAR },
];
const atBatches = <T>(casesAt: (m: number) => readonly T[]): readonly T[] => [32, 256].flatMap(casesAt);

/** Matrices [m, C] followed by vectors [C], at each batch size. */
function columns<P extends NoParams | { eps: number }>(
  matrices: number,
  vectors: number,
  params: P,
  draws?: readonly Draw[],
  rest: Pick<BenchmarkCase, 'statistics'> = {},
): BenchmarkCase<P>[] {
  return batches.map((shape) => ({
    shapes: [...Array<Shape>(matrices).fill(shape), ...Array<Shape>(vectors).fill([shape[1]])],
    params,
    ...(draws && { draws }),
    ...rest,
  }));
}

/** The shapes of x, gamma, beta, W and b. */
const intoDense: readonly (readonly Shape[])[] = [32, 256].map((m) => [
  [m, 784],
  [784],
  [784],
  weight,
  [300],
]);

const eps = 1e-5;
/** The distributions of g, x, mean and rstd. */
const draws = [normal, normal, normal, positive];
const statistics = [2, 3];
const noDecay = { weightDecay: 0 };

/** At each batch size as layer normalization, and the larger ones in 8 groups of columns. */
const inGroups = <P extends Groups>(at: (shape: Shape, params: Groups) => BenchmarkCase<P>) => [
  ...batches.map((shape) => at(shape, { groups: 1 })),
  ...batches.slice(1).map((shape) => at(shape, { groups: 8 })),
];

/** g and x [m, C], mean and rstd [m·groups], and vectors [C]. */
const rows = (perColumn: number) =>
  inGroups<Groups>((shape, params) => {
    const perRow = [shape[0] * params.groups];
    return {
      shapes: [shape, shape, perRow, perRow, ...Array<Shape>(perColumn).fill([shape[1]])],
      params,
      draws: [...draws, ...Array<Draw>(perColumn).fill(normal)],
      statistics,
    };
  });

const adam = {
  shapes: [weight, weight, weight, weight],
  params: { stepSize: 0.001, beta1: 0.9, beta2: 0.999, correction: 0.5, eps: 1e-8, decoupled: 0, ...noDecay },
  draws: [normal, normal, normal, positive],
};

/** Averages of gradients, whose squares are less than those of v: v − a² is positive. */
const small: Draw = (stream) => 0.1 * stream.normal();
const rmsprop = (momentum: number, ...state: readonly Draw[]) => ({
  shapes: [weight, weight, weight, ...state.map(() => weight)],
  params: { lr: 0.01, alpha: 0.99, eps: 1e-8, momentum, ...noDecay },
  draws: [normal, normal, positive, ...state],
});

export const fusionCases: FusionCases = {
  batchnormForward: columns(1, 2, { eps }),
  runningStatistics: [512, 784].map((C) => ({
    shapes: Array<Shape>(4).fill([C]),
    params: { alpha: 0.1, correction: 32 / 31 },
    draws: [normal, positive, normal, positive],
    statistics,
  })),
  batchnormTraining: columns(1, 4, { eps, alpha: 0.1, correction: 32 / 31 }),
  batchnormSums: columns(2, 2, {}, draws, { statistics }),
  batchnormBackward: columns(2, 3, {}, [...draws, normal], { statistics }),
  batchnormInference: columns(1, 4, { eps }, [normal, normal, normal, normal, positive]),

  layernormForward: inGroups((shape, { groups }) => ({
    shapes: [shape, [shape[1]], [shape[1]]],
    params: { groups, eps },
  })),
  layernormSums: rows(0),
  layernormBackward: rows(1),

  batchnormDense: intoDense.flatMap((shapes) => [
    { shapes, params: { eps, slope: 0 } },
    { shapes, params: { eps, slope: 0 }, draws: [ink, normal, normal, normal, normal], values: 'ink' },
  ]),
  batchnormDenseSums: intoDense.flatMap(([x, , , W]) => {
    const shapes = [[x[0], W[1]], x, ...Array<Shape>(4).fill([x[1]]), W];
    const all = [...draws, normal, normal, normal];
    return [
      { shapes, params: {}, draws: all, statistics },
      { shapes, params: {}, draws: all.with(1, ink), statistics, values: 'ink' },
    ];
  }),

  dense: atBatches((m) =>
    layers.map(({ inputs, outputs, slope }) => ({
      shapes: [[m, inputs], [inputs, outputs], [outputs]],
      params: { slope },
    })),
  ),
  denseDz: atBatches((m) =>
    layers.slice(0, 2).map(({ outputs, slope }) => ({
      shapes: [
        [m, outputs],
        [m, outputs],
      ],
      params: { slope },
    })),
  ),

  softmaxCrossEntropy: [
    { shapes: [[32, 10], [32], [32]], params: { smoothing: 0 }, draws: [normal, below(10), positive] },
    { shapes: [[256, 10], [256], [256]], params: { smoothing: 0 }, draws: [normal, below(10), positive] },
    {
      shapes: [[1024, 512], [1024], [1024]],
      params: { smoothing: 0.1 },
      draws: [normal, below(512), positive],
    },
  ],

  sgdUpdate: [{ shapes: [weight, weight], params: { lr: 0.01, ...noDecay } }],
  momentumUpdate: [
    {
      shapes: [weight, weight, weight],
      params: { lr: 0.01, momentum: 0.9, dampening: 0, nesterov: 0, ...noDecay },
    },
  ],
  adamUpdate: [adam],
  amsgradUpdate: [{ ...adam, shapes: [...adam.shapes, weight], draws: [...adam.draws, positive] }],
  rmspropUpdate: [rmsprop(0)],
  rmspropMomentumUpdate: [rmsprop(0.9, normal)],
  rmspropCenteredUpdate: [rmsprop(0, small)],
  rmspropCenteredMomentumUpdate: [rmsprop(0.9, small, normal)],
};
