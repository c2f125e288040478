/** The lab's training loop, written out because the claims measure the network between its steps. */
import {
  accuracy,
  type Batch,
  crossEntropy,
  DataLoader,
  type Dataset,
  evaluate,
  type Layer,
  type LearningRate,
  noGrad,
  type Optimizer,
  scope,
  SGD,
  tensor,
} from '../../../src/index.ts';
import { average } from '../cli/results.ts';

export const BATCH_SIZE = 32;
export const LEARNING_RATE = 0.1;

export interface TrainOptions {
  readonly steps: number;
  /** Default 32. */
  readonly batchSize?: number;
  /** Default: SGD with learning rate 0.1. */
  readonly optimizer?: Optimizer<LearningRate>;
  /** The seed of the order of the examples. */
  readonly seed: number;
  /** True (default): a new random order in each epoch. `once`: one random order for all. False: the order of the data. */
  readonly shuffle?: boolean | 'once';
}

export interface Step {
  /** Counts from 1. */
  readonly step: number;
  /** The loss of its batch, before the step. */
  readonly loss: number;
  /** The time of forward, backward and optimizer. */
  readonly milliseconds: number;
}

/** Yields after each step. Ends early at a loss that is not finite, without updating the parameters. */
export function* train(model: Layer, data: Dataset, options: TrainOptions): Generator<Step, void> {
  const { steps, batchSize = BATCH_SIZE, seed, shuffle = true } = options;
  const { optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE }) } = options;
  const loader = new DataLoader(data, { batchSize, shuffle: shuffle !== false, seed, dropLast: true });
  for (let step = 1; step <= steps;) {
    if (shuffle === 'once') loader.epoch = 0;
    for (const batch of loader) {
      const start = performance.now();
      model.train();
      const loss = backward(model, batch);
      if (Number.isFinite(loss)) optimizer.step();
      yield { step, loss, milliseconds: performance.now() - start };
      if (!Number.isFinite(loss) || step++ === steps) return;
    }
  }
}

/** Runs all steps, and returns the last loss. */
export function trainToEnd(model: Layer, data: Dataset, options: TrainOptions): number {
  let last = 0;
  for (const { loss } of train(model, data, options)) last = loss;
  return last;
}

/** Computes the gradients of the batch's loss, and returns the loss. */
export function backward(model: Layer, { x, shape, labels }: Batch): number {
  return scope(() => {
    const loss = crossEntropy(model.forward(tensor(x, { shape })), labels);
    for (const parameter of model.parameters()) parameter.grad = null;
    const value = loss.item();
    if (Number.isFinite(value)) loss.backward();
    return value;
  });
}

/** The share of examples that are classified correctly, in evaluation mode. */
export async function accuracyOn(model: Layer, data: Dataset): Promise<number> {
  const { accuracy } = await evaluate(model, data);
  return accuracy;
}

/** Accuracy in training mode, batch by batch. It updates the running statistics, which are not used afterwards. */
export async function accuracyOfBatches(model: Layer, test: Dataset, batchSize: number): Promise<number> {
  model.train();
  const shares: number[] = [];
  const batches = new DataLoader(test, { batchSize, shuffle: true, seed: 0, dropLast: true });
  for (const { x, shape, labels } of batches) {
    const output = noGrad(() => model.forward(tensor(x, { shape })));
    shares.push(await accuracy(output, labels));
  }
  return average(shares);
}

/** The first examples as one batch, for measurements. */
export function fixedBatch(data: Dataset, size: number): Batch {
  const [batch] = new DataLoader(data, { batchSize: size });
  return batch;
}

/** `count` steps from `first` to `steps`, in geometric progression. */
export function checkpoints(steps: number, count: number, first = 10): number[] {
  const at = Array.from({ length: count }, (_, i) =>
    Math.round(first * (steps / first) ** (i / (count - 1))),
  );
  return [...new Set(at)];
}
