/** The files of `goldens/`, with types. */
import { type DType, type Tensor, tensor } from '../src/index.ts';
import activations from './goldens/activations.json' with { type: 'json' };
import batchnorm from './goldens/batchnorm.json' with { type: 'json' };
import bceWithLogits from './goldens/bce-with-logits.json' with { type: 'json' };
import clipGradNorm from './goldens/clip-grad-norm.json' with { type: 'json' };
import crossEntropy from './goldens/cross-entropy.json' with { type: 'json' };
import huber from './goldens/huber.json' with { type: 'json' };
import layernorm from './goldens/layernorm.json' with { type: 'json' };
import optimizers from './goldens/optimizers.json' with { type: 'json' };
import schedules from './goldens/schedules.json' with { type: 'json' };
import trainingTrace from './goldens/training-trace.json' with { type: 'json' };

/** Values in row-major order; a scalar has shape []. */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface BatchNormStep {
  readonly mode: 'train' | 'eval';
  readonly x: GoldenArray;
  readonly g: GoldenArray;
  readonly y: GoldenArray;
  readonly dx: GoldenArray;
  readonly dgamma: GoldenArray | null;
  readonly dbeta: GoldenArray | null;
  readonly runningMean: GoldenArray | null;
  readonly runningVar: GoldenArray | null;
  readonly numBatchesTracked: number | null;
}

export interface BatchNormCase {
  readonly name: string;
  readonly options: {
    readonly eps: number;
    readonly momentum: number | null;
    readonly affine: boolean;
    readonly trackRunningStats: boolean;
  };
  readonly gamma: GoldenArray | null;
  readonly beta: GoldenArray | null;
  readonly steps: readonly BatchNormStep[];
}

/** LayerNorm, or GroupNorm if there are `groups`; `features` are the channels then. */
export interface LayerNormCase {
  readonly name: string;
  readonly groups: number | null;
  readonly features: number;
  readonly options: { readonly eps: number; readonly affine: boolean };
  readonly gamma: GoldenArray | null;
  readonly beta: GoldenArray | null;
  readonly x: GoldenArray;
  readonly g: GoldenArray;
  readonly y: GoldenArray;
  readonly dx: GoldenArray;
  readonly dgamma: GoldenArray | null;
  readonly dbeta: GoldenArray | null;
}

type Reduction = 'mean' | 'sum' | 'none';

export interface CrossEntropyCase {
  readonly name: string;
  readonly options: {
    readonly reduction: Reduction;
    readonly labelSmoothing: number;
    readonly ignoreIndex: number;
    readonly weight?: GoldenArray;
  };
  readonly logits: GoldenArray;
  readonly labels: GoldenArray;
  readonly loss: GoldenArray;
  readonly g: GoldenArray;
  readonly dlogits: GoldenArray;
}

/** A case of `mse`, or of `huber`, which has a `delta`. */
export interface RegressionCase {
  readonly name: string;
  readonly options: { readonly reduction: Reduction; readonly delta?: number };
  readonly predictions: GoldenArray;
  readonly targets: GoldenArray;
  readonly loss: GoldenArray;
  readonly g: GoldenArray;
  readonly dpredictions: GoldenArray;
}

export interface BceCase {
  readonly name: string;
  readonly options: {
    readonly reduction: Reduction;
    readonly weight?: GoldenArray;
    readonly posWeight?: GoldenArray;
  };
  readonly z: GoldenArray;
  readonly y: GoldenArray;
  readonly loss: GoldenArray;
  readonly g: GoldenArray;
  readonly dz: GoldenArray;
}

export interface OptimizerCase {
  readonly name: string;
  readonly optimizer: 'SGD' | 'Adam' | 'AdamW' | 'RMSprop';
  /** All options of the optimizer. */
  readonly options: Readonly<Record<string, number | boolean | readonly number[]>>;
  /** `params` are indices into `initial`; the rest are options. */
  readonly groups?: readonly { readonly params: readonly number[]; readonly [option: string]: unknown }[];
  readonly initial: readonly GoldenArray[];
  /** `parameters` are the values after the step. */
  readonly steps: readonly {
    readonly gradients: readonly (GoldenArray | null)[];
    readonly parameters: readonly GoldenArray[];
  }[];
}

export interface TraceCase {
  readonly name: 'plain' | 'bn';
  readonly lr: number;
  readonly initial: Readonly<Record<string, GoldenArray>>;
  /** `loss` is the value before the step. */
  readonly steps: readonly {
    readonly x: GoldenArray;
    readonly labels: GoldenArray;
    readonly loss: number;
  }[];
  readonly final: Readonly<Record<string, GoldenArray>>;
}

export interface ActivationCase {
  readonly op:
    'relu' | 'leakyRelu' | 'sigmoid' | 'tanh' | 'softmax' | 'logSoftmax' | 'max' | 'variance' | 'matmul';
  readonly options: { readonly slope?: number; readonly axis?: number; readonly unbiased?: boolean };
  readonly x: GoldenArray;
  readonly b?: GoldenArray;
  readonly y: GoldenArray;
  readonly g: GoldenArray;
  readonly dx: GoldenArray;
  readonly db?: GoldenArray;
}

export interface ClipCase {
  readonly name: string;
  readonly maxNorm: number;
  readonly gradients: readonly GoldenArray[];
  readonly norm: number;
  readonly clipped: readonly GoldenArray[];
}

/** `lrs[t]` is the learning rate that step t uses. */
export type ScheduleCase = {
  readonly lr: number;
  readonly lrs: readonly number[];
} & (
  | { readonly schedule: 'StepLR'; readonly options: { readonly stepSize: number; readonly gamma: number } }
  | {
      readonly schedule: 'CosineAnnealingLR';
      readonly options: { readonly tMax: number; readonly etaMin: number };
    }
  | {
      readonly schedule: 'LinearLR';
      readonly options: { readonly startFactor: number; readonly totalIters: number };
    }
);

export interface GoldenFiles {
  readonly batchnorm: { readonly cases: readonly BatchNormCase[] };
  readonly layernorm: { readonly cases: readonly LayerNormCase[] };
  readonly 'cross-entropy': {
    readonly crossEntropy: readonly CrossEntropyCase[];
    readonly mse: readonly RegressionCase[];
  };
  readonly 'bce-with-logits': { readonly cases: readonly BceCase[] };
  readonly huber: { readonly cases: readonly RegressionCase[] };
  readonly optimizers: { readonly cases: readonly OptimizerCase[] };
  readonly 'training-trace': { readonly cases: readonly TraceCase[] };
  readonly activations: { readonly cases: readonly ActivationCase[] };
  readonly 'clip-grad-norm': { readonly cases: readonly ClipCase[] };
  readonly schedules: { readonly cases: readonly ScheduleCase[] };
}

/** The contents of a file. */
export function golden<Name extends keyof GoldenFiles>(name: Name): GoldenFiles[Name] {
  const files: Readonly<Record<keyof GoldenFiles, unknown>> = {
    activations,
    batchnorm,
    'bce-with-logits': bceWithLogits,
    'clip-grad-norm': clipGradNorm,
    'cross-entropy': crossEntropy,
    huber,
    layernorm,
    optimizers,
    schedules,
    'training-trace': trainingTrace,
  };
  return files[name] as GoldenFiles[Name];
}

/** A golden array as a tensor, float64 by default. */
export function goldenTensor(
  { data, shape }: GoldenArray,
  options: { readonly dtype?: DType; readonly requiresGrad?: boolean } = {},
): Tensor {
  return tensor(Float64Array.from(data), { dtype: 'float64', ...options, shape });
}
