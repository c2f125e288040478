/** A training step of a network: forward, backward and SGD. */
import { crossEntropy, digits, type Layer, manualSeed, SGD, type Tensor, tensor } from '../src/index.ts';
import { seededStream } from '../src/tensor/random.ts';

const CLASSES = 10;
const BATCHES = 4;

/**
 * Digits: the images that `npm run mnist` has where MNIST is not; four fifths of an image are 0, there and in MNIST, and
 * it takes less to multiply by them. Noise: no value is 0.
 */
export type Inputs = 'digits' | 'noise';

/** The parts of a step, to be called in this order. */
export interface Training {
  /** How many batches there are, in turn. */
  readonly batches: number;
  /** The loss of the next batch. */
  readonly forward: () => Tensor;
  readonly backward: (loss: Tensor) => void;
  readonly update: () => void;
}

/** The batches are on the device before the clock starts; labels are a program's, as `fit` has them. */
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

/** Batches of a fixed seed; x is [batch, features], and digits have 784. */
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
