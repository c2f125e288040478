/** The training of the page equals `fit`, to the bit. */
import { setTimeout } from 'node:timers/promises';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataLoader, type Dataset, fit, manualSeed, SGD, useDevice } from '../../../src/index.ts';
import { network } from '../../experiments/lab/nets.ts';
import { builtInDigits, dataFromFiles, type TrainingData } from '../training/data.ts';
import { Curve } from '../training/curve.ts';
import { defaultTraining, netOf, type Side, sides, type TrainingSettings } from '../training/settings.ts';
import { Trainer } from '../training/trainer.ts';

let data: TrainingData;
beforeAll(async () => {
  await useDevice('wasm');
  const { name, train, test } = builtInDigits();
  data = { name, train: head(train, 320), test: head(test, 60) };
});

function head({ x, shape, labels, divisor }: Dataset, count: number): Dataset {
  return {
    x: x.slice(0, 784 * count),
    shape,
    labels: labels.slice(0, count),
    ...(divisor !== undefined && { divisor }),
  };
}

const settings: TrainingSettings = { ...defaultTraining, seed: 5, batchSize: 16, lr: 0.1 };

/** The losses of `fit`, batch by batch. */
async function lossesOfFit(side: Side, epochs: number, of: TrainingSettings = settings): Promise<number[]> {
  manualSeed(of.seed);
  const model = network(netOf(side, of));
  const losses: number[] = [];
  await fit(model, {
    train: new DataLoader(data.train, {
      batchSize: of.batchSize,
      shuffle: true,
      seed: of.seed,
      dropLast: true,
    }),
    optimizer: new SGD(model.parameters(), { lr: of.lr }),
    epochs,
    onBatch: ({ loss }) => void losses.push(loss),
  });
  return losses;
}

describe('the training of the page', () => {
  it('has the losses of fit, over epochs and pauses, whatever is looked at meanwhile', async () => {
    const trainer = new Trainer(settings, data);
    const losses: Record<Side, number[]> = { plain: [], normalized: [] };
    const image = new Float32Array(784).fill(0.5);
    for (let step = 0; step < 50; step++) {
      await trainer.step();
      if (step % 7 !== 0) continue;
      const report = await trainer.report(); // looks inside, as at a pause
      for (const side of sides) losses[side].push(...report[side].losses);
      await trainer.answers(image);
    }
    const report = await trainer.report();
    for (const side of sides) {
      losses[side].push(...report[side].losses);
      expect(losses[side]).toEqual((await lossesOfFit(side, 3)).slice(0, 50));
      expect(report[side].loss).toBe(losses[side].at(-1));
      expect(report[side].step).toBe(50);
    }
    expect(losses.plain).not.toEqual(losses.normalized);
  });

  it.each(['layer', 'group'] as const)('has the losses of fit with %s normalization', async (norm) => {
    const trainer = new Trainer(settings, data);
    expect(trainer.configure({ ...settings, norm })).toBe(true);
    for (let step = 0; step < 5; step++) await trainer.step();
    const { plain, normalized } = await trainer.report();
    const expected = await lossesOfFit('normalized', 1, { ...settings, norm });
    expect(normalized.losses).toEqual(expected.slice(0, 5));
    expect(expected).not.toEqual(await lossesOfFit('normalized', 1));
    expect(plain.losses).toEqual((await lossesOfFit('plain', 1)).slice(0, 5));
    expect([normalized.inside.gamma.length, normalized.inside.beta.length]).toEqual([3, 3]);
  });

  it('restarts with the same losses', async () => {
    const trainer = new Trainer(settings, data);
    for (let step = 0; step < 3; step++) await trainer.step();
    const first = await trainer.report();
    trainer.restart();
    for (let step = 0; step < 3; step++) await trainer.step();
    const second = await trainer.report();
    expect(second.normalized.losses).toEqual(first.normalized.losses);
    expect(second.plain.losses).toEqual(first.plain.losses);
  });

  it('changes the learning rate and the batch size without new networks', async () => {
    const trainer = new Trainer(settings, data);
    await trainer.step();
    expect(trainer.configure({ ...settings, lr: 0.5, batchSize: 8 })).toBe(false);
    await trainer.step();
    expect((await trainer.report()).plain.step).toBe(2);
    expect(trainer.configure({ ...settings, layers: 2 })).toBe(true);
    const { plain, normalized } = await trainer.report();
    expect([plain.step, plain.loss, plain.accuracy]).toEqual([0, null, null]);
    expect(normalized.inside.layers.length).toBe(2);
  });

  it('says at which step and in which layer a loss is not finite', async () => {
    const trainer = new Trainer({ ...settings, lr: 1e9 }, data);
    for (let step = 0; step < 12; step++) await trainer.step();
    const { plain } = await trainer.report();
    expect(plain.failure).toMatch(
      /^Step \d+: the loss is .*; the first layer whose output is not finite is layer \d/,
    );
    expect(plain.step).toBeLessThan(12);
  });

  it('looks into each hidden layer', async () => {
    const trainer = new Trainer(settings, data);
    await trainer.step();
    const { plain, normalized } = await trainer.report();
    for (const { layers } of [plain.inside, normalized.inside]) {
      expect(layers.length).toBe(settings.layers);
      for (const { counts, gradient } of layers) {
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60 * 100);
        expect(gradient).toBeGreaterThan(0);
      }
    }
    expect(normalized.inside.gamma.length).toBe(settings.layers);
    expect(plain.inside.gamma).toEqual([]);
  });
});

describe('the memory', () => {
  it('does not grow in 500 steps', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const trainer = new Trainer({ ...settings, layers: 2 }, data);
    const used = async (steps: number): Promise<number> => {
      for (let step = 1; step <= steps; step++) {
        await trainer.step();
        if (step % 20 === 0) await trainer.report();
      }
      for (let k = 0; k < 3; k++) {
        collect();
        await setTimeout(20); // the library frees what was collected
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = await used(100);
    expect((await used(500)) - before).toBeLessThan(2e6);
  });
});

describe('files of the reader', () => {
  const idx = (shape: readonly number[], values: Uint8Array): Uint8Array => {
    const header = [0, 0, 8, shape.length, ...shape.flatMap((extent) => [0, 0, extent >> 8, extent & 255])];
    return Uint8Array.from([...header, ...values]);
  };
  const images = { name: 'images', bytes: idx([40, 28, 28], new Uint8Array(40 * 784)) };
  const labels = {
    name: 'labels',
    bytes: idx(
      [40],
      Uint8Array.from({ length: 40 }, (_, i) => i % 10),
    ),
  };

  it('are images with their labels, in any order', () => {
    const { train, test, name } = dataFromFiles([labels, images]);
    expect([train.labels.length, test.labels.length, name]).toEqual([32, 8, 'images']);
    expect(test.labels[0]).toBe(2);
  });

  it.each([
    [[{ name: 'cat.jpg', bytes: new Uint8Array([255, 216, 255, 224]) }], /^cat\.jpg is no file of MNIST: /],
    [[{ name: 'empty', bytes: new Uint8Array(0) }], /^empty is no file of MNIST: /],
    [[labels], /^None of the files has images/],
    [[images], /^images has 40 images, and no file has as many labels/],
    [[images, { name: 'l', bytes: idx([40], new Uint8Array(40).fill(12)) }], /^A label is not a digit/],
    [[{ name: 'small', bytes: idx([2, 2, 2], new Uint8Array(8)) }], /^small has images of 2×2 pixels/],
  ])('that do not fit are named', (files, problem) => {
    expect(() => dataFromFiles(files)).toThrow(problem);
  });
});

describe('a curve', () => {
  it('keeps its memory while the training goes on', () => {
    const curve = new Curve();
    for (let step = 1; step <= 100_000; step++) curve.add(step, 1 / step);
    expect(curve.x.length).toBeLessThanOrEqual(800);
    expect(curve.x.every((x, i) => i === 0 || x > curve.x[i - 1])).toBe(true);
    expect(curve.y[0]).toBeGreaterThan(curve.y[1]);
  });
});
