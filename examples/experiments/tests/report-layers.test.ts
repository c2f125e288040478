import { describe, expect, it } from 'vitest';
import { pixelsOf } from '../cifar10/report.ts';
import { histogram, linearEdges, logEdges } from '../report/histogram.ts';
import { confusionOf, instructive, predict } from '../report/predictions.ts';
import { measureLayers } from '../report/layer-values.ts';
import { watch } from '../report/watch.ts';
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  Dense,
  digits,
  Dropout,
  evaluate,
  fit,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  tensor,
  uniform,
} from '../../../src/index.ts';

const training = digits({ count: 128, seed: 1 });
const heldOut = digits({ count: 40, seed: 2 });
const makeModel = () =>
  new Sequential(
    new BatchNorm1d(784),
    new Dense(784, 12),
    new ReLU(),
    new Dropout(0.5),
    new BatchNorm1d(12),
    new Dense(12, 10),
  );
const [batch] = new DataLoader(heldOut, { batchSize: 40 });

/** Trains from the seed, and returns everything that a measurement could change. */
async function train(look: (model: Sequential) => Promise<void>): Promise<unknown> {
  manualSeed(3);
  const model = makeModel();
  const loader = new DataLoader(training, { batchSize: 32, shuffle: true });
  await look(model);
  const { loss, accuracy, valLoss } = await fit(model, {
    train: loader,
    validation: heldOut,
    optimizer: new SGD(model.parameters(), { lr: 0.1 }),
    epochs: 2,
    onBatch: () => look(model),
  });
  const state = Object.entries(model.stateDict()).map(([name, value]) => [name, value.toArray()]);
  const gradients = model.parameters().map(({ grad }) => grad?.toArray());
  return { loss, accuracy, valLoss, state, gradients, next: uniform([3]).toArray(), seed: loader.seed };
}

describe('measuring the layers of a network', () => {
  it('changes nothing: neither weights, statistics, gradients, mode nor random numbers', async () => {
    const undisturbed = await train(() => Promise.resolve());
    const watched = await train(async (model) => {
      await measureLayers(model, batch);
      await predict(model, heldOut);
    });
    expect(watched).toEqual(undisturbed);
    const model = makeModel().eval();
    model.layers[2].training = true;
    await measureLayers(model, batch);
    expect(model.layers.some((layer) => Object.hasOwn(layer, 'forward'))).toBe(false); // no hook is left
    expect(model.modules().map(({ training: mode }) => mode)).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
  });

  it('restores the model if it fails', async () => {
    const model = makeModel();
    const before = model.bufferDict();
    await expect(measureLayers(model, { ...batch, labels: new Uint8Array(40).fill(99) })).rejects.toThrow(
      /label/,
    );
    const same = Object.entries(model.bufferDict()).map(([name, value]) => [name, value.toArray()]);
    expect(same).toEqual(Object.entries(before).map(([name, value]) => [name, value.toArray()]));
    expect(model.training).toBe(true);
  });

  it('agrees with the outputs and gradients of the whole network', async () => {
    manualSeed(1);
    const model = new Sequential(new Dense(784, 12), new BatchNorm1d(12), new ReLU(), new Dense(12, 10));
    const layers = await measureLayers(model, batch);
    expect(layers.map(({ kind }) => kind)).toEqual(['dense', 'batch norm', 'activation', 'dense']);
    expect(layers.map(({ outputs }) => outputs.length)).toEqual([480, 480, 480, 400]);
    const output = model.forward(tensor(batch.x, { shape: batch.shape }));
    crossEntropy(output, batch.labels).backward();
    expectClose(layers[3].outputs, output.dataSync());
    for (const at of [0, 3]) {
      const layer = model.layers[at];
      expectClose(
        layers[at].weightGradients ?? [],
        layer instanceof Dense ? (layer.weight.grad?.dataSync() ?? []) : [],
      );
    }
    // The rows of softmax(z) − onehot sum to 0.
    expect(Math.abs(layers[3].outputGradients.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-5);
  });

  it('records γ and β about fifty times, starting at 1 and 0', async () => {
    manualSeed(1);
    const model = makeModel();
    const watching = await watch(model, heldOut, 205);
    for (let i = 0; i < 205; i++) await watching.batch();
    const { paths, predictions, start, end } = await watching.end();
    expect(paths.map(({ place }) => place)).toEqual([
      'batch normalization of the input',
      'batch normalization after dense layer 1',
    ]);
    expect(paths[0].gamma[0]).toEqual({ batch: 0, values: [1, 1, 1, 1, 1] });
    expect(paths[0].beta.at(-1)).toEqual({ batch: 205, values: [0, 0, 0, 0, 0] });
    expect(paths[0].beta.length).toBe(53);
    expect([start.length, end.length, predictions.length]).toEqual([6, 6, 40]);
  });
});

describe('predictions', () => {
  it('agree with accuracy', async () => {
    manualSeed(1);
    const model = makeModel();
    await fit(model, {
      train: new DataLoader(training, { batchSize: 32 }),
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      epochs: 2,
    });
    const counts = confusionOf(heldOut.labels, await predict(model, heldOut), 10);
    const right = counts.reduce((sum, row, i) => sum + row[i], 0);
    expect(right / 40).toBeCloseTo((await evaluate(model, heldOut)).accuracy, 6);
    expect(counts.flat().reduce((sum, count) => sum + count)).toBe(40);
  });

  it('are shown for correct, disputed and misclassified images', () => {
    const labels = Uint8Array.from({ length: 100 }, (_, i) => i % 10);
    const [a, b] = [
      labels.map((label, i) => (i < 90 ? label : 0)),
      labels.map((label, i) => (i < 80 || i === 95 ? label : 1)),
    ];
    const shown = instructive(labels, [a, b]);
    expect(new Set(shown).size).toBe(12);
    const right = shown.map((i) => Number(a[i] === labels[i]) + Number(b[i] === labels[i]));
    expect(right).toEqual([2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    expect(instructive(labels, [labels]).length).toBe(12); // no mistakes to show
    expect(instructive(labels.subarray(0, 5), [labels]).length).toBe(5);
  });

  it('have images with three bytes per pixel', () => {
    const x = Uint8Array.from({ length: 2 * 3072 }, (_, i) => Math.floor(i / 1024));
    const pixels = pixelsOf({ x, shape: [3072], labels: new Uint8Array(2) }, 1);
    expect([...pixels.subarray(0, 6)]).toEqual([3, 4, 5, 3, 4, 5]);
    expect(pixels).toHaveLength(3072);
  });
});

describe('a histogram', () => {
  it('counts each value once', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? 0 : Math.sin(i) ** 5 * 3));
    const sizes = values.map(Math.abs);
    for (const [of, edges] of [
      [values, linearEdges([values], 40)],
      [sizes, logEdges([values], 40)],
      [values, [0.5, 1]],
      [values.fill(NaN, 0, 10), linearEdges([values], 40)],
    ] as const) {
      const { counts, zeros, outside, total } = histogram(of, edges);
      expect(counts.reduce((sum, count) => sum + count) + zeros + outside).toBe(total);
      expect(counts).toHaveLength(edges.length - 1);
    }
    expect(histogram([1, 1.5, 2, 3, 0, -1], [1, 2, 3])).toEqual({
      counts: [2, 1],
      zeros: 1,
      outside: 2,
      total: 6,
    });
  });

  it.each([[[]], [[0, 0]], [[2, 2, 2]]])('of %j has edges too', (values) => {
    const sets = [Float32Array.from(values)];
    for (const edges of [linearEdges(sets, 4), logEdges(sets, 4)]) {
      expect(edges).toHaveLength(5);
      edges.slice(1).forEach((edge, i) => expect(edge).toBeGreaterThan(edges[i]));
    }
  });
});

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  expect(found.length).toBeGreaterThan(0);
  for (let i = 0; i < found.length; i++) expect(Math.abs(found[i] - expected[i])).toBeLessThan(1e-5);
}
