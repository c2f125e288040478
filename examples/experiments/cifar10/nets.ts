/** The networks of the experiment, both 3072 → 512 → 10, initialized as PyTorch does by default. */
import { BatchNorm1d, Dense, ReLU, Sequential } from '../../../src/index.ts';

export const nets = {
  /** Without batch normalization. */
  plain: (): Sequential => new Sequential(new Dense(3072, 512), new ReLU(), new Dense(512, 10)),

  /**
   * The same with it: one layer more is the only difference. So the bias in front of it stays, though it is redundant,
   * and both networks begin with the same weights.
   */
  bn: (): Sequential =>
    new Sequential(new Dense(3072, 512), new BatchNorm1d(512), new ReLU(), new Dense(512, 10)),
};

export type NetName = keyof typeof nets;

export const netNames = Object.keys(nets) as NetName[];
