/** The same training for a page and for Node. */
import {
  BatchNorm1d,
  DataLoader,
  type Dataset,
  Dense,
  deviceInfo,
  fit,
  type History,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
} from '../../src/index.ts';

/** Points on the unit circle, labelled by quadrant. */
export function quadrants(count: number): Dataset {
  const angles = Array.from({ length: count }, (_, i) => (2 * Math.PI * (i + 0.5)) / count);
  return {
    x: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
    shape: [2],
    labels: Uint8Array.from(angles, (angle) => Math.floor(angle / (Math.PI / 2))),
  };
}

export function train(): Promise<History> {
  manualSeed(1);
  const model = new Sequential(
    new Dense(2, 16, { bias: false }),
    new BatchNorm1d(16),
    new ReLU(),
    new Dense(16, 4),
  );
  return fit(model, {
    train: new DataLoader(quadrants(256), { batchSize: 32, shuffle: true }),
    validation: quadrants(100),
    optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
    epochs: 20,
  });
}

export interface Trained {
  readonly adapter: string;
  readonly loss: readonly number[];
  readonly valLoss: readonly number[];
}

export async function trained(): Promise<Trained> {
  const { loss, valLoss } = await train();
  return { adapter: deviceInfo().adapter, loss, valLoss };
}
