/** The workloads that are timed. Every contender gets the same inputs, drawn from a fixed seed. */
import type { Stream } from '../../src/tensor/random.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { batchesOf, type Inputs } from '../training.ts';
import type { NetName } from '../../src/networks.ts';
import type { ContenderName } from './contenders.ts';
import type { NamedTensor } from './contenders/tensor-file.js';
import { networkOf } from './network.ts';

/** The request to a contender: `kind` selects the function, and the rest are its parameters. */
export type WorkloadRequest = { readonly kind: string } & Readonly<Record<string, unknown>>;

export interface Prepared {
  readonly request: WorkloadRequest;
  /** `state:0.weight`, `x:0` and `labels:0` for a training step; plain names for other workloads. */
  readonly inputs: Readonly<Record<string, NamedTensor>>;
}

export interface Workload {
  readonly name: string;
  /** The results of the first of these that takes part are the reference for the others. */
  readonly references: readonly ContenderName[];
  /** The tolerance, relative to the largest value of a tensor; for weights, relative to their change. */
  readonly tolerance: number;
  readonly prepare: () => Prepared | Promise<Prepared>;
}

const LEARNING_RATE = 0.01;

const OURS_FIRST: readonly ContenderName[] = ['gammabeta', 'pytorch'];

function values(shape: readonly number[], draw: () => number): NamedTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { shape, data: Float32Array.from({ length: size }, draw) };
}

/** Forward, loss, backward and SGD of a network of `src/networks.ts`, on a few batches in turn. */
export function step(net: NetName, batch: number, images: Inputs): Workload {
  const prepare = async (): Promise<Prepared> => {
    const { layers, state } = await networkOf(net, 1);
    const inputs: Record<string, NamedTensor> = {};
    for (const [name, value] of Object.entries(state)) inputs[`state:${name}`] = value;
    batchesOf(images, 784, batch).forEach(({ x, labels }, k) => {
      inputs[`x:${k}`] = { shape: [batch, 784], data: x };
      inputs[`labels:${k}`] = { shape: [batch], data: labels };
    });
    return { request: { kind: 'step', layers, lr: LEARNING_RATE }, inputs };
  };
  // 1 %, because rounding differences grow from step to step.
  const name = `step ${net} ${batch} ${images}`;
  return { name, references: ['pytorch', 'gammabeta'], tolerance: 1e-2, prepare };
}

/** The groups of group normalization. */
const GROUPS = 8;

/** A normalization with PyTorch's constants: forward in training, and backward from a given gradient. */
function normalization(kind: 'batchnorm' | 'layernorm' | 'groupnorm', m: number, features: number): Workload {
  const prepare = (): Prepared => {
    const stream = seededStream(1);
    const normal = (shape: readonly number[]) => values(shape, () => stream.normal());
    return {
      request: {
        kind,
        features,
        eps: 1e-5,
        ...(kind === 'batchnorm' && { momentum: 0.1 }),
        ...(kind === 'groupnorm' && { groups: GROUPS }),
      },
      inputs: {
        x: normal([m, features]),
        g: normal([m, features]),
        gamma: positive([features], stream),
        beta: normal([features]),
      },
    };
  };
  return { name: `${kind} ${m}x${features}`, references: OURS_FIRST, tolerance: 1e-4, prepare };
}

/** One product of square matrices. */
export function matmul(n: number): Workload {
  const prepare = (): Prepared => {
    const stream = seededStream(1);
    const matrix = () => values([n, n], () => stream.normal());
    return { request: { kind: 'matmul', n }, inputs: { a: matrix(), b: matrix() } };
  };
  return { name: `matmul ${n}`, references: OURS_FIRST, tolerance: 1e-4, prepare };
}

function positive(shape: readonly number[], stream: Stream): NamedTensor {
  return values(shape, () => 0.5 + stream.uniform());
}

export const workloads: readonly Workload[] = [
  ...(['digits', 'noise'] as const).flatMap((images) =>
    (['plain', 'bn'] as const).flatMap((net) => [32, 256, 1024].map((batch) => step(net, batch, images))),
  ),
  ...(['batchnorm', 'layernorm', 'groupnorm'] as const).flatMap((kind) =>
    [64, 1024].map((m) => normalization(kind, m, 512)),
  ),
  matmul(512),
  matmul(1024),
];
