/** The networks and settings of the experiment on CIFAR-10; `pytorch.py` has the same. */
import { Adam, BatchNorm1d, Dense, ReLU, Sequential, type Tensor } from '../../../src/index.ts';

export const EPOCHS = 5;
export const BATCH_SIZE = 64;
export const LEARNING_RATE = 0.001;

/** Maps pixels, already divided by 255, to −1 … 1. */
export const pixels = { mean: 0.5, deviation: 0.5 };

export const optimizer = (parameters: readonly Tensor[]): Adam => new Adam(parameters, { lr: LEARNING_RATE });

/** The networks, both 3072 → 512 → 10, with the default initialization, which is PyTorch's. */
export const nets = {
  /** Without batch normalization. */
  plain: (): Sequential => new Sequential(new Dense(3072, 512), new ReLU(), new Dense(512, 10)),

  /**
   * With batch normalization, which is the only difference: both networks start with the same weights. Therefore the
   * first layer keeps its bias, although it is redundant here.
   */
  bn: (): Sequential =>
    new Sequential(new Dense(3072, 512), new BatchNorm1d(512), new ReLU(), new Dense(512, 10)),
};

export type NetName = keyof typeof nets;

export const netNames = Object.keys(nets) as NetName[];
