/** The training step that is timed: forward, backward and SGD. */
import { crossEntropy, digits, type Layer, manualSeed, SGD, type Tensor, tensor } from '../src/index.ts';
import { seededStream } from '../src/tensor/seed.ts';

const CLASSES = 10;
const BATCHES = 4;

/**
 * `digits` are the built-in images. Four fifths of their values are 0, as in MNIST, and a product can skip those. `noise`
 * has no zeros.
 */
export type Inputs = 'digits' | 'noise';

/** The parts of a step, in the order in which they have to be called. */
export interface Training {
  /** The number of batches, which are used in turn. */
  readonly batches: number;
  /** Returns the loss of the next batch. */
  readonly forward: () => Tensor;
  readonly backward: (loss: Tensor) => void;
  readonly update: () => void;
}

/** Builds the network and uploads the batches. Labels stay in JavaScript arrays, as in `fit`. */
export function trainingOf(
  make: () => Layer,
  features: number,
  batch: number,
  inputs: Inputs = 'noise',
): Training {
  manualSeed(1);
  const model = make();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const batches = batchesOf(inputs, features, batch).map(({ x, labels }) => ({
    x: tensor(x, { shape: [batch, features] }),
    labels,
  }));
  let steps = 0;
  return {
    batches: BATCHES,
    forward: () => {
      const { x, labels } = batches[steps++ % BATCHES];
      return crossEntropy(model.forward(x), labels);
    },
    backward: (loss) => {
      optimizer.zeroGrad();
      loss.backward();
    },
    update: () => optimizer.step(),
  };
}

/** Batches from a fixed seed. x is [batch, features]; `digits` have 784 features. */
export function batchesOf(
  inputs: Inputs,
  features: number,
  batch: number,
): { readonly x: Float32Array; readonly labels: Uint8Array }[] {
  const stream = seededStream(1);
  const images = inputs === 'digits' ? digits({ count: BATCHES * batch, seed: 1 }) : null;
  return Array.from({ length: BATCHES }, (_, k) => {
    if (images === null) {
      const x = Float32Array.from({ length: batch * features }, () => stream.uniform());
      return { x, labels: Uint8Array.from({ length: batch }, () => Math.floor(CLASSES * stream.uniform())) };
    }
    const [first, last] = [k * batch, (k + 1) * batch];
    const bytes = images.x.subarray(first * features, last * features);
    return {
      x: Float32Array.from(bytes, (value) => value / 255),
      labels: Uint8Array.from(images.labels.subarray(first, last)),
    };
  });
}

export function stepOf({ forward, backward, update }: Training): Tensor {
  const loss = forward();
  backward(loss);
  update();
  return loss;
}
