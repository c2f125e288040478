/** Training on a named device, for the GPU benchmarks. */
import { nets } from '../../src/networks.ts';
import {
  BatchNorm1d,
  Dense,
  type DeviceName,
  type Layer,
  LayerNorm,
  ReLU,
  Sequential,
  type Tensor,
  useDevice,
} from '../../src/index.ts';
import { stepOf, trainingOf } from '../training.ts';
import type { NetAndBatch } from './gpu-report.ts';

/** A network with almost no computation. The time of its step is the overhead of using a GPU. */
const small = (): Layer =>
  new Sequential(new Dense(16, 16), new BatchNorm1d(16), new ReLU(), new Dense(16, 10));

const WIDTH = 2048;

/** The networks of the experiment with wide layers, where a GPU has enough to do. */
const widePlain = (): Layer =>
  new Sequential(
    new Dense(784, WIDTH),
    new ReLU(),
    new Dense(WIDTH, WIDTH),
    new ReLU(),
    new Dense(WIDTH, 10),
  );

const wideBn = (): Layer =>
  new Sequential(
    new BatchNorm1d(784),
    new Dense(784, WIDTH),
    new ReLU(),
    new BatchNorm1d(WIDTH),
    new Dense(WIDTH, WIDTH),
    new ReLU(),
    new BatchNorm1d(WIDTH),
    new Dense(WIDTH, 10),
  );

/** `bn` with layer normalization in place of batch normalization. */
const layerNormalized = (): Layer =>
  new Sequential(
    new LayerNorm(784),
    new Dense(784, 300),
    new ReLU(),
    new LayerNorm(300),
    new Dense(300, 100),
    new ReLU(),
    new LayerNorm(100),
    new Dense(100, 10),
  );

export type Network = 'plain' | 'bn' | 'ln' | 'small' | 'plain, 2048 wide' | 'bn, 2048 wide';

const networks: Readonly<Record<Network, { readonly make: () => Layer; readonly features: number }>> = {
  plain: { make: nets.plain, features: 784 },
  bn: { make: nets.bn, features: 784 },
  ln: { make: layerNormalized, features: 784 },
  small: { make: small, features: 16 },
  'plain, 2048 wide': { make: widePlain, features: 784 },
  'bn, 2048 wide': { make: wideBn, features: 784 },
};

export interface Trainer {
  /** Trains for `steps` steps. Reads the loss after every `read` steps, and after the last. */
  readonly run: (steps: number, read?: number) => Promise<void>;
  /** Trains for `steps` steps, then reads and returns all losses. */
  readonly losses: (steps: number) => Promise<number[]>;
}

export async function trainerOn(device: DeviceName, { net, batch }: NetAndBatch): Promise<Trainer> {
  await useDevice(device);
  const { make, features } = networks[net];
  const training = trainingOf(make, features, batch, net === 'small' ? 'noise' : 'digits');
  return {
    run: async (steps, read = Infinity) => {
      await useDevice(device);
      for (let k = 1; k <= steps; k++) {
        const loss = stepOf(training);
        if (k === steps || k % read === 0) await loss.data();
      }
    },
    losses: async (steps) => {
      await useDevice(device);
      const losses: Tensor[] = [];
      for (let k = 0; k < steps; k++) losses.push(stepOf(training));
      const values: number[] = [];
      for (const loss of losses) values.push((await loss.data())[0]);
      return values;
    },
  };
}
