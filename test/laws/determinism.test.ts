/** One seed and one device give one run, bit for bit, whatever else the process does. */
import { describe, expect, it } from 'vitest';
import { netNames, nets } from '../../src/networks.ts';
import {
  Adam,
  DataLoader,
  type Dataset,
  fit,
  manualSeed,
  SGD,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { snapshot } from '../layers/helpers.ts';
import { inFloat32 } from '../on-devices.ts';

/** Noise of 784 pixels around a pattern of each of 10 classes. */
function images(count: number): Dataset {
  const stream = seededStream(3);
  const pattern = (label: number, pixel: number) => 128 + 100 * Math.sin(label * pixel);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const x = Uint8Array.from({ length: 784 * count }, (_, at) =>
    Math.min(255, Math.max(0, pattern(labels[Math.floor(at / 784)], at % 784) + 20 * stream.normal())),
  );
  return { x, shape: [784], divisor: 255, labels };
}

const data = images(200);
const optimizers = {
  SGD: (params: Tensor[]) => new SGD(params, { lr: 0.05, momentum: 0.9 }),
  Adam: (params: Tensor[]) => new Adam(params),
};

inFloat32(() => {
  describe.each(netNames)('the net %s', (name) => {
    const train = async (makeOptimizer: keyof typeof optimizers, seed = 1) => {
      manualSeed(seed);
      const model = nets[name]();
      const { loss, accuracy, valLoss } = await fit(model, {
        train: new DataLoader(data, { batchSize: 32, shuffle: true }),
        validation: data,
        optimizer: optimizers[makeOptimizer](model.parameters()),
        epochs: 2,
      });
      return { loss, accuracy, valLoss, state: snapshot(model) };
    };

    it.each(['SGD', 'Adam'] as const)('trained with %s, comes out the same twice', async (optimizer) => {
      const first = await train(optimizer);
      // Memory is another then: parts of it are taken, others have been used.
      const held = Array.from({ length: 30 }, (_, k) => tensor(new Float32Array(1000 * k).fill(NaN)));
      held.forEach((x, k) => x.add(held[k]));
      const second = await train(optimizer);
      expect(second).toEqual(first);
      expect(first.loss[1]).toBeLessThan(first.loss[0]);
      expect((await train(optimizer, 2)).loss).not.toEqual(first.loss);
    });
  });
});
