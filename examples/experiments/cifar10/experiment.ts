/** What the experiment is, apart from the networks: `pytorch.py` has the same. */
import { Adam, type Tensor } from '../../../src/index.ts';

export const EPOCHS = 5;
export const BATCH_SIZE = 64;
export const LEARNING_RATE = 0.001;

/** Bytes to numbers from −1 to 1, after the division by 255. */
export const pixels = { mean: 0.5, deviation: 0.5 };

export const optimizer = (parameters: readonly Tensor[]): Adam => new Adam(parameters, { lr: LEARNING_RATE });
