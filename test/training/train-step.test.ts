import { describe, expect, it } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  BusyError,
  DataLoader,
  Dense,
  Dropout,
  fit,
  type Layer,
  manualSeed,
  mse,
  ReLU,
  Sequential,
  trainStep,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ dtype }) => {
  const data = {
    x: Float32Array.from({ length: 60 }, (_, i) => Math.sin(2 * i)),
    shape: [3],
    labels: Uint8Array.from({ length: 20 }, (_, i) => i % 2),
  };

  function setUp() {
    manualSeed(5);
    const model = new Sequential(
      new Dense(3, 6, { dtype }),
      new BatchNorm1d(6, { dtype }),
      new ReLU(),
      new Dropout(0.2),
      new Dense(6, 2, { dtype }),
    );
    const optimizer = new Adam(model.parameters(), { lr: 0.05 });
    return { model, optimizer, train: new DataLoader(data, { batchSize: 4, shuffle: true, seed: 1 }) };
  }
  const values = (model: Layer) => Object.values(model.stateDict()).map((t) => t.toArray());

  describe('trainStep', () => {
    it('over all batches is fit, to the bit', async () => {
      const whole = setUp();
      const expected: number[] = [];
      await fit(whole.model, {
        train: whole.train,
        optimizer: whole.optimizer,
        epochs: 2,
        clipGradNorm: 1,
        onBatch: ({ loss }) => void expected.push(loss),
      });
      const { model, optimizer, train } = setUp();
      const losses: number[] = [];
      for (let epoch = 0; epoch < 2; epoch++) {
        for (const batch of train)
          losses.push((await trainStep(model, batch, { optimizer, clipGradNorm: 1 })).loss);
      }
      expect(losses).toEqual(expected);
      expect(values(model)).toEqual(values(whole.model));
    });

    it('refuses a second step before the first is done, and leaves the first alone', async () => {
      const { model, optimizer, train } = setUp();
      const [batch] = train;
      const first = trainStep(model, batch, { optimizer });
      await expect(trainStep(model, batch, { optimizer })).rejects.toThrow(BusyError);
      expect((await first).loss).toBeGreaterThan(0);
      await trainStep(model, batch, { optimizer });
    });

    it('that fails changes nothing', async () => {
      const { model, optimizer, train } = setUp();
      const [batch] = train;
      const before = values(model);
      await expect(
        trainStep(model, { ...batch, labels: batch.labels.map(() => 7) }, { optimizer }),
      ).rejects.toThrow('label 7');
      await expect(trainStep(model, batch, { optimizer, loss: (y) => y.sum().mul(NaN) })).rejects.toThrow(
        'trainStep: the loss is NaN; ',
      );
      await expect(
        trainStep(model, batch, { optimizer, metrics: { m: () => Promise.reject(new Error('mine')) } }),
      ).rejects.toThrow('mine');
      expect(values(model)).toEqual(before);
      const { loss } = await trainStep(model, batch, {
        optimizer,
        loss: (y) => mse(y, y.detach().mul(2)),
        metrics: {},
      });
      expect(loss).toBeGreaterThan(0);
    });
  });
});
