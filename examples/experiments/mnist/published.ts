import type { NetName } from '../../../src/networks.ts';

/** A row of Keras' history as published. */
interface Published {
  readonly epoch: number;
  readonly valAccuracy: number;
  readonly valLoss?: number;
}

/** What Keras prints for the same networks, data and optimizer, after its first and its tenth epoch. */
export const published: Partial<Record<NetName, readonly Published[]>> = {
  plain: [
    { epoch: 1, valAccuracy: 0.789 },
    { epoch: 10, valAccuracy: 0.915, valLoss: 0.308 },
  ],
  bn: [
    { epoch: 1, valAccuracy: 0.873 },
    { epoch: 10, valAccuracy: 0.948, valLoss: 0.192 },
  ],
};
