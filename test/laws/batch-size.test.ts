/** Law: the results of `evaluate` do not depend on the batch size, also where some labels do not count. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  accuracy,
  bceWithLogits,
  BatchNorm1d,
  binaryAccuracy,
  crossEntropy,
  DataLoader,
  Dense,
  evaluate,
  fit,
  huber,
  LayerNorm,
  type Loss,
  type Metrics,
  manualSeed,
  mse,
  predict,
  randn,
  Sequential,
  SGD,
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

/** Losses of class labels as users write them: sums, terms that count differently, and no means at all. */
const ownLosses: Record<string, Loss> = {
  'the sum of crossEntropy': (z, y) => crossEntropy(z, y, { reduction: 'sum' }),
  'the sum of crossEntropy with class weights': (z, y) =>
    crossEntropy(z, y, { weight, reduction: 'sum', labelSmoothing: 0.1 }),
  'crossEntropy with a class of weight 0 and label smoothing': (z, y) =>
    crossEntropy(z, y, { weight, labelSmoothing: 0.1 }),
  'half of a sum': (z, y) => crossEntropy(z, y, { reduction: 'sum' }).mul(0.5),
  'a sum with a penalty': (z, y) => crossEntropy(z, y, { reduction: 'sum' }).add(3),
  'a sum divided by the rows': (z, y) => crossEntropy(z, y, { reduction: 'sum' }).div(y.length),
  'a mean multiplied by the rows': (z, y) => crossEntropy(z, y).mul(y.length),
  'crossEntropy and mse': (z, y) => crossEntropy(z, y).add(mse(z, new Float32Array(z.size)).mul(0.3)),
  'crossEntropy with two label sets': (z, y) =>
    crossEntropy(z, y).add(crossEntropy(z, y, { ignoreIndex: 0 })),
  'a root': (z, y) => crossEntropy(z, y).sqrt(),
  'a hand-written sum': (z) => z.pow(2).sum(),
  'a hand-written mean': (z) => z.pow(2).mean(),
  'a maximum': (z) => z.max(),
};

describe('the loss of evaluate is that of all examples in one batch', () => {
  beforeAll(() => useDevice('cpu'));

  it.each(Object.entries(ownLosses))('for %s', async (name, loss) => {
    const model = network(classes);
    const label = name.includes('two label sets') ? fc.constantFrom(0, 1, 2) : fc.constantFrom(-100, 0, 1, 2);
    const property = fc.asyncProperty(
      fc.array(label, { minLength: 2, maxLength: 20 }),
      size,
      async (some, batchSize) => {
        const labels = Int8Array.from([0, 1, ...some]);
        const data = { x: examples(labels.length), shape: [2], labels };
        const output = await predict(model, data);
        const { loss: inParts } = await evaluate(model, new DataLoader(data, { batchSize }), { loss });
        expect(inParts).toBeCloseTo(loss(output, labels).item(), 10);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});

describe('fit', () => {
  beforeAll(() => useDevice('cpu'));

  it.each([
    ['mse', mse],
    ['huber', huber],
    ['bceWithLogits', bceWithLogits],
  ] as const)('with the sum of %s gives the sum over the epoch, for any batch size', async (_, loss) => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 12 }), size, async (count, batchSize) => {
      const labels = Float32Array.from({ length: count }, (_, i) => i % 2);
      const data = { x: examples(count), shape: [2], labels };
      const model = new Dense(2, 1, { dtype: 'float64' });
      const sum: Loss = (z, y) => loss(z, y, { reduction: 'sum' });
      const whole = sum(await predict(model, data), labels).item();
      const history = await fit(model, {
        train: new DataLoader(data, { batchSize }),
        validation: new DataLoader(data, { batchSize }),
        optimizer: new SGD(model.parameters(), { lr: 1e-300 }),
        epochs: 1,
        loss: sum,
      });
      expect(history.loss[0]).toBeCloseTo(whole, 10);
      expect(history.valLoss[0]).toBeCloseTo(whole, 10);
    });
    await fc.assert(property, { numRuns: 15 });
  });
});

it('evaluate warns if the loss function cannot take all examples at once', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const data = { x: examples(4), shape: [2], labels: new Int8Array(4) };
  const loss: Loss = (z) => z.reshape([2, classes]).sum().mul(0.5);
  const model = network(classes);
  const { loss: mean } = await evaluate(model, new DataLoader(data, { batchSize: 2 }), { loss });
  const z = await predict(model, data);
  expect(mean).toBeCloseTo(z.sum().item() / 4, 10);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/all 4 examples at once.*weighted by their rows/));
  warn.mockRestore();
});
