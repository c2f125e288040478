/** Measures how the cost of training grows with the batch and with the width of the layers. */
import { type NetName, nets } from '../src/networks.ts';
import { BatchNorm1d, Dense, ReLU, scope, Sequential, tensor } from '../src/index.ts';
import { seededStream } from '../src/tensor/seed.ts';
import { fitPowerLaw, type PowerLaw } from './statistics.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';
import { stepOf, trainingOf } from './training.ts';

export type Variable = 'batch' | 'width';

/** A computation that is timed at growing sizes. */
export interface Series {
  readonly name: string;
  readonly over: Variable;
  /** Returns the function that is timed at a size. */
  readonly workAt: (value: number) => () => unknown;
}

export interface ScalingTiming {
  readonly name: string;
  readonly over: Variable;
  readonly points: readonly (Timing & { readonly value: number })[];
  /** Fitted over the upper half of the values. */
  readonly fit: PowerLaw;
}

export const values: Readonly<Record<Variable, readonly number[]>> = {
  batch: [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
  width: [64, 128, 256, 512, 1024, 2048],
};

/** The value of the variable that does not grow. */
const BATCH = 32;
const NORMALIZED = { batch: 64, features: 512 };

export const series: readonly Series[] = [
  ...(['plain', 'bn'] as const).flatMap((net): Series[] => [
    { name: `step ${net}`, over: 'batch', workAt: (batch) => stepAt(nets[net], 784, batch) },
    { name: `step ${net}`, over: 'width', workAt: (width) => stepAt(() => square(net, width), width, BATCH) },
  ]),
  { name: 'batchnorm', over: 'batch', workAt: (batch) => batchnormAt(batch, NORMALIZED.features) },
  { name: 'batchnorm', over: 'width', workAt: (width) => batchnormAt(NORMALIZED.batch, width) },
];

export function seriesName({ name, over }: Pick<Series, 'name' | 'over'>): string {
  return `${name} ${over}`;
}

/** Times a series. Calls `onPoint` before each point. */
export async function timeSeries(
  { name, over, workAt }: Series,
  onPoint: (value: number) => void,
  options: TimerOptions = {},
): Promise<ScalingTiming> {
  const points: (Timing & { value: number })[] = [];
  for (const value of values[over]) {
    onPoint(value);
    points.push({ value, ...(await time(workAt(value), options)) });
  }
  const fit = fitPowerLaw(points.map(({ value, seconds }) => ({ x: value, y: seconds })));
  return { name, over, points, fit };
}

function stepAt(make: () => Sequential, features: number, batch: number): () => unknown {
  const training = trainingOf(make, features, batch);
  for (let k = 0; k < training.batches; k++) stepOf(training); // allocates memory for every batch before the timing
  return () => stepOf(training);
}

/** A network with two hidden layers as wide as the input, and ten classes. */
function square(net: NetName, width: number): Sequential {
  const hidden = () => [
    new Dense(width, width),
    new ReLU(),
    ...(net === 'bn' ? [new BatchNorm1d(width)] : []),
  ];
  return new Sequential(...hidden(), ...hidden(), new Dense(width, 10));
}

/** The work of BatchNorm1d by itself: forward in training mode, and backward from a given gradient to x, γ and β. */
export function batchnormAt(batch: number, features: number): () => unknown {
  const stream = seededStream(1);
  const drawn = (requiresGrad: boolean) =>
    tensor(
      Float32Array.from({ length: batch * features }, () => stream.normal()),
      { shape: [batch, features], requiresGrad },
    );
  const [x, g] = [drawn(true), drawn(false)];
  const norm = new BatchNorm1d(features);
  return () => {
    for (const leaf of [x, ...norm.parameters()]) leaf.grad = null;
    scope(() => {
      norm.forward(x).backward(g);
    });
  };
}
