/** The means of `fit` and `evaluate` do not depend on the batches, also if labels are ignored or classes have weights. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  bceWithLogits,
  binaryAccuracy,
  crossEntropy,
  DataLoader,
  Dense,
  evaluate,
  fit,
  huber,
  mse,
  Sequential,
  SGD,
  tensor,
  trainStep,
} from '../../src/index.ts';

/** A model with the logits x and −x. */
const model = () =>
  new Sequential(
    new Dense(1, 2, { bias: false, init: (shape, options) => tensor([1, -1], { shape, ...options }) }),
  );

/** The cross-entropy of the logits x and −x. */
const lossOf = (x: number, label: number) => Math.log1p(Math.exp(label === 0 ? -2 * x : 2 * x));

const x = new Float32Array([1, 2, 3, 4]);

describe('labels of −100', () => {
  const data = { x, shape: [1], labels: new Int8Array([0, -100, 1, 1]) };

  it.each([1, 2, 3, 4])('do not count in evaluate, in batches of %i', async (batchSize) => {
    const means = await evaluate(model(), new DataLoader(data, { batchSize }));
    expect(means.loss).toBeCloseTo((lossOf(1, 0) + lossOf(3, 1) + lossOf(4, 1)) / 3, 6);
    expect(means.accuracy).toBeCloseTo(1 / 3, 15);
  });

  it.each([1, 2, 3, 4])('do not count in fit, in batches of %i', async (batchSize) => {
    const trained = model();
    const optimizer = new SGD(trained.parameters(), { lr: 1e-12 });
    const history = await fit(trained, { train: new DataLoader(data, { batchSize }), optimizer, epochs: 1 });
    expect(history.loss[0]).toBeCloseTo((lossOf(1, 0) + lossOf(3, 1) + lossOf(4, 1)) / 3, 6);
    expect(history.accuracy[0]).toBeCloseTo(1 / 3, 15);
  });

  it('contribute nothing if they fill a batch', async () => {
    const labels = new Int8Array([0, 1, -100, -100]);
    const means = await evaluate(model(), new DataLoader({ ...data, labels }, { batchSize: 2 }));
    expect(means.loss).toBeCloseTo((lossOf(1, 0) + lossOf(2, 1)) / 2, 6);
    expect(means.accuracy).toBe(0.5);
    const trained = model();
    const before = trained.parameters().map((p) => p.toArray());
    const optimizer = new SGD(trained.parameters(), { lr: 1 });
    const batch = { x, shape: [4, 1], labels: new Int8Array(4).fill(-100) };
    expect(await trainStep(trained, batch, { optimizer })).toEqual({ loss: 0, accuracy: 0 });
    expect(trained.parameters().map((p) => p.toArray())).toEqual(before);
  });

  it('and class weights give the same means in any batches', async () => {
    const cases = fc.record({
      examples: fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-100, 0, 1)), {
        minLength: 1,
        maxLength: 12,
      }),
      weight: fc.array(fc.constantFrom(0, 0.3, 1, 2.5), { minLength: 2, maxLength: 2 }),
      labelSmoothing: fc.constantFrom(0, 0.2),
      batchSize: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ examples, weight, labelSmoothing, batchSize }) => {
        fc.pre(examples.some(([, label]) => label !== -100 && weight[label] > 0));
        // PyTorch smooths rows whose class has weight 0 towards the other classes, but divides by nothing for them.
        fc.pre(labelSmoothing === 0 || Math.min(...weight) > 0);
        const dataset = {
          x: Float32Array.from(examples, ([value]) => value),
          shape: [1],
          labels: Int8Array.from(examples, ([, label]) => label),
        };
        const loss: typeof crossEntropy = (z, y) => crossEntropy(z, y, { weight, labelSmoothing });
        const options = { loss, metrics: { accuracy } };
        const parts = await evaluate(model(), new DataLoader(dataset, { batchSize }), options);
        const whole = await evaluate(model(), new DataLoader(dataset, { batchSize: 12 }), options);
        expect(parts.loss).toBeCloseTo(whole.loss, 5);
        expect(parts.accuracy).toBeCloseTo(whole.accuracy, 12);
      }),
      { numRuns: 50 },
    );
  });
});

describe('one output', () => {
  it.each([
    ['mse', mse],
    ['huber', huber],
  ])('for a regression with %s trains without further code, and has no accuracy', async (_, loss) => {
    const line = new Dense(1, 1);
    const data = { x: new Float32Array([1, 2, 3, 4]), shape: [1], labels: new Float32Array([3, 5, 7, 9]) };
    const optimizer = new SGD(line.parameters(), { lr: 0.05 });
    const history = await fit(line, {
      train: new DataLoader(data, { batchSize: 4 }),
      optimizer,
      epochs: 400,
      loss,
    });
    expect(Object.keys(history)).toEqual(['loss', 'seconds']);
    expect(history.loss.at(-1)).toBeLessThan(0.01);
    expect(await evaluate(line, data, { loss })).toEqual({ loss: expect.closeTo(0, 2) as number });
  });

  it('for yes or no trains with bceWithLogits and is measured by binaryAccuracy', async () => {
    const data = {
      x: new Float32Array([-2, -1, 1, 2, 3]),
      shape: [1],
      labels: new Uint8Array([0, 0, 1, 1, 1]),
    };
    const one = new Dense(1, 1);
    const history = await fit(one, {
      train: new DataLoader(data, { batchSize: 2 }),
      optimizer: new SGD(one.parameters(), { lr: 1 }),
      epochs: 30,
      loss: bceWithLogits,
      metrics: { accuracy: binaryAccuracy },
    });
    expect(history.accuracy.at(-1)).toBe(1);
    expect(history.loss.at(-1)).toBeLessThan(0.2);
  });
});
