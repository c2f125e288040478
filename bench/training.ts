/** A training step of a network, on random batches: forward, backward and SGD. */
import { crossEntropy, type Layer, manualSeed, SGD, type Tensor, tensor } from '../src/index.ts';
import { seededStream } from '../src/tensor/random.ts';

const CLASSES = 10;
const BATCHES = 4;

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
export function trainingOf(make: () => Layer, features: number, batch: number): Training {
  manualSeed(1);
  const model = make();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const stream = seededStream(1);
  const batches = Array.from({ length: BATCHES }, () => ({
    x: tensor(
      Float32Array.from({ length: batch * features }, () => stream.uniform()),
      { shape: [batch, features] },
    ),
    labels: Uint8Array.from({ length: batch }, () => Math.floor(CLASSES * stream.uniform())),
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

export function stepOf({ forward, backward, update }: Training): Tensor {
  const loss = forward();
  backward(loss);
  update();
  return loss;
}
