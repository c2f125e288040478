/** A program that counts WebGPU's calls in training steps and in updates in Node, and prints the counts as JSON. */
import type { Tensor } from '../../src/index.ts';
import { Adam, AdamW, type LearningRate, type Optimizer, RMSprop, SGD, tensor } from '../../src/index.ts';
import { callsOf, countCalls } from '../gpu/calls.ts';
import type { CallCounts } from '../gpu/gpu-report.ts';
import { trainerOn } from '../gpu/trainer.ts';

export interface Counted extends CallCounts {
  /** The largest relative difference of a loss from that of wasm. */
  readonly error: number;
}

/** The launches of one step of an optimizer of two parameters. */
export interface UpdateCounted {
  readonly optimizer: string;
  readonly launches: number;
}

export interface Found {
  readonly steps: readonly Counted[];
  readonly updates: readonly UpdateCounted[];
}

const steps: Counted[] = [];
for (const net of ['plain', 'bn', 'ln'] as const) {
  const netAndBatch = { net, batch: 32 };
  const counts = await countCalls(netAndBatch, 2);
  const [expected, losses] = [
    await (await trainerOn('wasm', netAndBatch)).losses(2),
    await (await trainerOn('webgpu', netAndBatch)).losses(2),
  ];
  const error = Math.max(...losses.map((loss, k) => Math.abs(loss / expected[k] - 1)));
  steps.push({ ...counts, error });
}

const options = { lr: 0.1, weightDecay: 0.1 };
const optimizers: Readonly<Record<string, (params: Tensor[]) => Optimizer<LearningRate>>> = {
  SGD: (params) => new SGD(params, options),
  'SGD, momentum': (params) => new SGD(params, { ...options, momentum: 0.9, nesterov: true }),
  Adam: (params) => new Adam(params, options),
  'Adam, amsgrad': (params) => new Adam(params, { ...options, amsgrad: true }),
  AdamW: (params) => new AdamW(params, options),
  'AdamW, amsgrad': (params) => new AdamW(params, { ...options, amsgrad: true }),
  RMSprop: (params) => new RMSprop(params, options),
  'RMSprop, momentum': (params) => new RMSprop(params, { ...options, momentum: 0.9 }),
  'RMSprop, centered': (params) => new RMSprop(params, { ...options, centered: true }),
  'RMSprop, centered, momentum': (params) =>
    new RMSprop(params, { ...options, centered: true, momentum: 0.9 }),
};
const updates: UpdateCounted[] = [];
for (const [name, make] of Object.entries(optimizers)) {
  const params = [[1, 2, 3], [-1, 4]].map((values) => tensor(values, { requiresGrad: true })); // prettier-ignore
  const optimizer = make(params);
  const step = async (): Promise<void> => {
    for (const w of params) w.grad = tensor(Array<number>(w.size).fill(0.5));
    optimizer.step();
    for (const w of params) await w.data();
  };
  await step(); // compiles the kernels
  const { launches } = await callsOf(step);
  updates.push({ optimizer: name, launches });
}
const found: Found = { steps, updates };
console.log(JSON.stringify(found));
