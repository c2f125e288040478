/** Law: the results of `evaluate` do not depend on the batch size, also where some labels do not count. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  accuracy,
  bceWithLogits,
  BatchNorm1d,
  binaryAccuracy,
  crossEntropy,
  DataLoader,
  Dense,
  evaluate,
  LayerNorm,
  type Loss,
  type Metrics,
  manualSeed,
  mse,
  randn,
  Sequential,
  useDevice,
} from '../../src/index.ts';

const classes = 3;
const weight = [0.5, 2, 0];

/** Losses of class labels, some of which are ignored. */
const losses: Record<string, Loss> = {
  crossEntropy,
  'crossEntropy with class weights': (z, y) => crossEntropy(z, y, { weight }),
  'crossEntropy with class weights and label smoothing': (z, y) =>
    crossEntropy(z, y, { weight: [0.5, 2, 0.1], labelSmoothing: 0.2 }),
  'crossEntropy, scaled and with a penalty': (z, y) => crossEntropy(z, y).mul(0.5).add(0.25),
};

function network(outputs: number) {
  manualSeed(1);
  const model = new Sequential(
    new Dense(2, outputs, { dtype: 'float64' }),
    new LayerNorm(outputs, { eps: 0.1, dtype: 'float64' }),
    new BatchNorm1d(outputs, { dtype: 'float64' }),
  );
  model.forward(randn([8, 2], { dtype: 'float64' }));
  return model;
}

const examples = (count: number) => Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(3 * i));
const size = fc.integer({ min: 1, max: 9 });

describe('evaluate', () => {
  beforeAll(() => useDevice('cpu'));

  it.each(Object.entries(losses))('with %s gives the mean over what counts', async (_, loss) => {
    const model = network(classes);
    const label = fc.constantFrom(-100, 0, 1, 2);
    const property = fc.asyncProperty(
      fc.array(label, { minLength: 2, maxLength: 20 }),
      size,
      async (some, batchSize) => {
        const labels = Int8Array.from([0, ...some]); // one that counts
        const data = { x: examples(labels.length), shape: [2], labels };
        const inOne = await evaluate(model, data, { loss, metrics: { accuracy } });
        const inParts = await evaluate(model, new DataLoader(data, { batchSize }), {
          loss,
          metrics: { accuracy },
        });
        expect(inParts.loss).toBeCloseTo(inOne.loss, 10);
        expect(inParts.accuracy).toBeCloseTo(inOne.accuracy, 10);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it('of a regression and of a single logit gives the mean over all targets', async () => {
    const model = network(1);
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 20 }), size, async (count, batchSize) => {
      const labels = Float32Array.from({ length: count }, (_, i) => i % 2);
      const data = { x: examples(count), shape: [2], labels };
      const some: [loss: Loss, metrics: Metrics][] = [
        [mse, {}],
        [bceWithLogits, { binaryAccuracy }],
      ];
      for (const [loss, metrics] of some) {
        const inOne = await evaluate(model, data, { loss, metrics });
        const inParts = await evaluate(model, new DataLoader(data, { batchSize }), { loss, metrics });
        for (const [name, value] of Object.entries(inOne)) expect(inParts[name]).toBeCloseTo(value, 10);
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });
});
