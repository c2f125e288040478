import { describe, expect, it } from 'vitest';
import * as gammabeta from '../../src/index.ts';

const {
  BatchNorm1d,
  DataLoader,
  Dense,
  deviceInfo,
  fit,
  gradcheck,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  tensor,
} = gammabeta;

/** Points on a circle, labelled by quadrant. */
function quadrants(count: number): gammabeta.Dataset {
  const angles = Array.from({ length: count }, (_, i) => (2 * Math.PI * (i + 0.5)) / count);
  return {
    x: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
    shape: [2],
    labels: Uint8Array.from(angles, (angle) => Math.floor(angle / (Math.PI / 2))),
  };
}

async function train(): Promise<gammabeta.History> {
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

describe(`in the browser, on the ${deviceInfo().device} device`, () => {
  it('runs in a page, not in Node', () => {
    expect('document' in globalThis).toBe(true);
    expect(globalThis.constructor.name).toBe('Window');
  });

  it('trains a network with batch normalization', async () => {
    const history = await train();
    expect(history.valAccuracy.at(-1)).toBeGreaterThan(0.9);
  });

  it('gives the same numbers for the same seed, bit for bit', async () => {
    const [first, second] = [await train(), await train()];
    expect(second.loss).toEqual(first.loss);
    expect(second.valLoss).toEqual(first.valLoss);
  });

  it('has the right gradients', () => {
    const options = { dtype: 'float64', requiresGrad: true } as const;
    const x = tensor([[1, -2], [3, 0.5], [-1, 4]], options); // prettier-ignore
    const w = tensor([[0.5, 1], [-1, 2]], options); // prettier-ignore
    const norm = new BatchNorm1d(2, { dtype: 'float64' });
    expect(gradcheck((x, w) => norm.forward(x.matmul(w)).tanh(), [x, w])).toBe(true);
  });
});
