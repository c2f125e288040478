import { describe, expect, it } from 'vitest';
import {
  accuracy,
  Adam,
  BatchNorm1d,
  type BatchProgress,
  crossEntropy,
  DataLoader,
  type Dataset,
  Dense,
  Dropout,
  type EpochProgress,
  evaluate,
  fit,
  type FitOptions,
  Layer,
  manualSeed,
  mse,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
} from '../../src/index.ts';
import { values } from '../tensors.ts';
import { inFloat64 } from '../on-devices.ts';

/** Ten points of two classes; batches of 4, 4 and 2. */
const data: Dataset = {
  x: Float32Array.from({ length: 20 }, (_, i) => Math.sin(3 * i * i)),
  shape: [2],
  labels: Uint8Array.from({ length: 10 }, (_, i) => Number(Math.sin(12 * i * i) > 0)),
};
const validation: Dataset = { ...data, x: data.x.subarray(0, 6), labels: data.labels.subarray(0, 3) };

function start(seed = 1) {
  manualSeed(seed);
  const model = new Sequential(
    new Dense(2, 6),
    new BatchNorm1d(6),
    new ReLU(),
    new Dropout(0.2),
    new Dense(6, 2),
  );
  const train = new DataLoader(data, { batchSize: 4, shuffle: true });
  return { model, train, optimizer: new Adam(model.parameters(), { lr: 0.05 }) };
}

/** Runs fit on a new model. */
async function run(options: Partial<FitOptions> = {}) {
  const { model, train, optimizer } = start();
  return { model, history: await fit(model, { train, optimizer, epochs: 3, ...options }) };
}

const modes = (model: Layer) => model.modules().map((layer) => layer.training);

describe('the history of fit', () => {
  it('has one entry per epoch in each column', async () => {
    const { history } = await run({ validation });
    const { loss, accuracy: acc, valLoss, valAccuracy, seconds, ...others } = history;
    for (const column of [loss, acc, valLoss, valAccuracy, seconds]) expect(column).toHaveLength(3);
    expect(others).toEqual({});
  });

  it('has no columns of validation without any', async () => {
    expect(Object.keys((await run()).history).sort()).toEqual(['accuracy', 'loss', 'seconds']);
  });

  it('has the means over the examples that a loop written by hand computes', async () => {
    const { history, model: fitted } = await run({ validation });

    const { model, train, optimizer } = start();
    for (let epoch = 0; epoch < 3; epoch++) {
      model.train();
      let [loss, right] = [0, 0];
      for (const { x, shape, labels } of train) {
        const output = model.forward(tensor(x, { shape }));
        const error = crossEntropy(output, labels);
        optimizer.zeroGrad();
        error.backward();
        optimizer.step();
        loss += error.item() * labels.length;
        const predicted = output.argmax(1).dataSync();
        right += labels.filter((label, i) => label === predicted[i]).length;
      }
      expect(history.loss[epoch]).toBeCloseTo(loss / 10, 12);
      expect(history.accuracy[epoch]).toBeCloseTo(right / 10, 12);

      model.eval();
      const output = noGrad(() => model.forward(tensor(validation.x, { shape: [3, 2] })));
      expect(history.valLoss[epoch]).toBeCloseTo(crossEntropy(output, validation.labels).item(), 12);
      expect(history.valAccuracy[epoch]).toBe(await accuracy(output, validation.labels));
    }
    expect(fitted.parameters().map(values)).toEqual(model.parameters().map(values));
  });

  it('is the same with a dataset and with a loader for validation', async () => {
    const ofDataset = (await run({ validation })).history;
    const ofLoader = (await run({ validation: new DataLoader(validation, { batchSize: 3 }) })).history;
    expect(ofLoader.valLoss).toEqual(ofDataset.valLoss);
    expect(ofLoader.valAccuracy).toEqual(ofDataset.valAccuracy);
  });

  it('has the time of training and validation, in seconds', async () => {
    const begin = performance.now();
    const { history } = await run({ validation });
    const total = (performance.now() - begin) / 1000;
    const sum = history.seconds.reduce((a, b) => a + b);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(total);
  });
});

describe('one seed', () => {
  const measured = async () => {
    const { model, history } = await run({ validation });
    return { ...history, seconds: null, parameters: model.parameters().map(values) };
  };

  it('gives bit-identical histories and parameters', async () => {
    expect(await measured()).toEqual(await measured());
  });

  it('gives them too when the training data are measured in between', async () => {
    const { model, train, optimizer } = start();
    await fit(model, {
      train,
      optimizer,
      epochs: 3,
      validation: train,
      onEpoch: async () => {
        await evaluate(model, train);
      },
    });
    expect(model.parameters().map(values)).toEqual((await measured()).parameters);
    expect(train.epoch).toBe(3);
  });
});

describe('metrics', () => {
  it('of your own become columns, awaited or not', async () => {
    const { history } = await run({
      validation,
      metrics: {
        accuracy,
        mistakes: async (output, labels) => 1 - (await accuracy(output, labels)),
        rows: (output) => output.shape[0],
      },
    });
    expect(history.mistakes.map((share, k) => share + history.accuracy[k])).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
    ]);
    expect(history.rows[0]).toBeCloseTo((4 * 4 + 4 * 4 + 2 * 2) / 10, 12); // weighed by examples
    expect(history.valRows[0]).toBe(3);
    expect(history.valMistakes).toHaveLength(3);
  });

  it('get an output that asks for no gradient', async () => {
    const asked: boolean[] = [];
    await run({ metrics: { spy: (output) => asked.push(output.requiresGrad) }, validation });
    expect(new Set(asked)).toEqual(new Set([false]));
  });

  it('are none with {}', async () => {
    const { history } = await run({ metrics: {}, validation });
    expect(Object.keys(history).sort()).toEqual(['loss', 'seconds', 'valLoss']);
  });

  it.each([
    ['loss', { loss: accuracy }],
    ['seconds', { seconds: accuracy }],
    ['valLoss', { valLoss: accuracy }],
    ['valAccuracy', { accuracy, valAccuracy: accuracy }],
    ['valAccuracy', { accuracy, Accuracy: accuracy }],
  ])('may not take the place of another column: %s', async (column, metrics) => {
    await expect(run({ metrics })).rejects.toThrow(
      `fit: two columns named ${column}. Hint: give the metric another name`,
    );
  });
});

describe('onBatch', () => {
  it('is called after each batch with where training stands', async () => {
    const seen: BatchProgress[] = [];
    const { history } = await run({ epochs: 2, onBatch: (progress) => void seen.push(progress) });
    expect(seen.map(({ epoch, batch }) => [epoch, batch])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(seen.map(({ examples }) => examples)).toEqual([4, 4, 2, 4, 4, 2]);
    for (const { epochs, batches } of seen) expect([epochs, batches]).toEqual([2, 3]);
    expect(seen[0].means.loss).toBeCloseTo(seen[0].loss, 12);
    expect(seen[1].means.loss).toBeCloseTo((seen[0].loss + seen[1].loss) / 2, 12);
    expect(seen[2].means).toEqual({ loss: history.loss[0], accuracy: history.accuracy[0] });
    expect(seen[3].means.loss).toBeCloseTo(seen[3].loss, 12); // each epoch starts with new means
  });

  it('is awaited, and comes after the step', async () => {
    const { model, train, optimizer } = start();
    const events: string[] = [];
    const before = values(model.parameters()[0]);
    await fit(model, {
      train,
      optimizer,
      epochs: 1,
      onBatch: async ({ batch }) => {
        events.push(`begin ${batch}`);
        if (batch === 1) expect(values(model.parameters()[0])).not.toEqual(before);
        await new Promise((resolve) => setTimeout(resolve, 1));
        events.push(`end ${batch}`);
      },
      onEpoch: () => void events.push('epoch'),
    });
    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3', 'epoch']);
  });

  it('can set the learning rate of the next step', async () => {
    const { model, train, optimizer } = start();
    const after: number[][] = [];
    await fit(model, {
      train,
      optimizer,
      epochs: 1,
      onBatch: () => {
        optimizer.lr = 0;
        after.push(values(model.parameters()[0]));
      },
    });
    expect(after[1]).toEqual(after[0]);
    expect(after[2]).toEqual(after[0]);
  });
});

describe('onEpoch', () => {
  it('is called after each epoch with its results, and awaited', async () => {
    const seen: EpochProgress[] = [];
    let running = 0;
    const { history } = await run({
      validation,
      onEpoch: async (progress) => {
        seen.push(progress);
        expect(++running).toBe(1);
        await Promise.resolve();
        running--;
      },
    });
    expect(seen.map(({ epoch, epochs }) => [epoch, epochs])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    seen.forEach(({ results }, k) => {
      const entries = Object.entries(history).map(([column, numbers]) => [column, numbers[k]]);
      expect(results).toEqual(Object.fromEntries(entries));
    });
  });

  it('that fails stops the training with its error', async () => {
    const failure = new Error('the disk is full');
    let epochs = 0;
    const training = run({
      onEpoch: () => {
        epochs++;
        throw failure;
      },
    });
    await expect(training).rejects.toBe(failure);
    expect(epochs).toBe(1);
  });
});

describe('a signal', () => {
  const reason = new Error('enough');

  it('that is aborted before stops fit before anything has moved', async () => {
    const { model, train, optimizer } = start();
    const before = model.parameters().map(values);
    const fitting = fit(model, { train, optimizer, epochs: 1, signal: AbortSignal.abort(reason) });
    await expect(fitting).rejects.toBe(reason);
    expect(model.parameters().map(values)).toEqual(before);
    expect(train.epoch).toBe(0);
  });

  it('that is aborted during an epoch stops fit after the batch', async () => {
    const controller = new AbortController();
    let batches = 0;
    const training = run({
      signal: controller.signal,
      onBatch: () => {
        if (++batches === 2) controller.abort(reason);
      },
    });
    await expect(training).rejects.toBe(reason);
    expect(batches).toBe(2);
  });

  it('that is aborted after an epoch does not begin another', async () => {
    const { model, train, optimizer } = start();
    const controller = new AbortController();
    const training = fit(model, {
      train,
      optimizer,
      epochs: 3,
      signal: controller.signal,
      onEpoch: () => {
        controller.abort(reason);
      },
    });
    await expect(training).rejects.toBe(reason);
    expect(train.epoch).toBe(1); // so a checkpoint that is made now resumes with the second
  });

  it('that is aborted during the last batch stops the validation', async () => {
    const controller = new AbortController();
    const training = run({
      epochs: 1,
      validation,
      signal: controller.signal,
      onBatch: ({ batch, batches }) => {
        if (batch === batches) controller.abort(reason);
      },
    });
    await expect(training).rejects.toBe(reason);
  });

  it('is heard though training on the CPU awaits nothing', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    const start = performance.now();
    const onEpoch = () => performance.now() - start < 10_000; // without pauses, the timer would never fire
    await expect(run({ epochs: 1e9, signal: controller.signal, onEpoch })).rejects.toBe(reason);
  });

  it('that is not aborted changes nothing', async () => {
    const { history } = await run({ signal: new AbortController().signal });
    expect(history.loss).toEqual((await run()).history.loss);
  });
});

describe('the mode of each layer', () => {
  const frozen = (model: Sequential) => {
    model.train();
    model.layers[1].eval();
    return modes(model);
  };

  it('is training during fit, and evaluation during validation', async () => {
    const { model, train, optimizer } = start();
    model.eval();
    const seen: boolean[][] = [];
    const metrics = { spy: () => seen.push(modes(model)) };
    await fit(model, { train, optimizer, epochs: 1, validation, metrics });
    expect(seen.map((all) => new Set(all))).toEqual([true, true, true, false].map((mode) => new Set([mode])));
  });

  it('is what it was afterwards, such as a BatchNorm that is in evaluation', async () => {
    const { model, train, optimizer } = start();
    const before = frozen(model);
    await fit(model, { train, optimizer, epochs: 1, validation });
    expect(modes(model)).toEqual(before);
    expect(before).toEqual([true, true, false, true, true, true]);
  });

  it('is what it was when fit fails', async () => {
    const { model, train, optimizer } = start();
    const before = frozen(model);
    const failing = {
      train,
      optimizer,
      epochs: 1,
      loss: () => {
        throw new Error('no loss');
      },
    };
    await expect(fit(model, failing)).rejects.toThrow('no loss');
    expect(modes(model)).toEqual(before);
  });

  it('is what it was when the training is aborted', async () => {
    const { model, train, optimizer } = start();
    const before = frozen(model);
    const signal = AbortSignal.abort();
    await expect(fit(model, { train, optimizer, epochs: 1, signal })).rejects.toThrow();
    expect(modes(model)).toEqual(before);
  });
});

describe('the loss of fit', () => {
  it('may be another, with labels that are targets', async () => {
    manualSeed(1);
    const line: Dataset = {
      x: new Float32Array([0, 1, 2, 3]),
      shape: [1],
      labels: new Float32Array([1, 3, 5, 7]),
    };
    const model = new Dense(1, 1);
    const history = await fit(model, {
      train: new DataLoader(line, { batchSize: 4 }),
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      loss: (output, labels) => mse(output, tensor(labels, { shape: output.shape })),
      metrics: {},
      epochs: 200,
    });
    expect(history.loss.at(-1)).toBeLessThan(1e-6);
    expect(values(model.weight)[0]).toBeCloseTo(2, 2);
  });

  it('is refused if it is not a single value', async () => {
    const perRow = (output: Tensor, labels: Dataset['labels']) =>
      crossEntropy(output, Array.from(labels), { reduction: 'none' });
    const training = run({ loss: perRow });
    await expect(training).rejects.toThrow(ShapeError);
    await expect(training).rejects.toThrow(
      'fit: the loss is not a single value: shape [4]. Hint: return its mean over the batch',
    );
  });
});

describe('the model of fit', () => {
  it('may be any layer', async () => {
    class Twice extends Layer {
      readonly dense: Dense = this.addLayer('dense', new Dense(2, 2));
      override forward(x: Tensor): Tensor {
        return this.dense.forward(this.dense.forward(x));
      }
    }
    manualSeed(1);
    const model = new Twice();
    const { loss } = await fit(model, {
      train: new DataLoader(data, { batchSize: 5 }),
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      epochs: 20,
    });
    expect(loss[19]).toBeLessThan(loss[0]);
  });
});

describe('fit refuses', () => {
  it.each([-1, 1.5, NaN])('%d epochs', async (epochs) => {
    await expect(run({ epochs })).rejects.toThrow(ValueError);
    await expect(run({ epochs })).rejects.toThrow(
      `fit: epochs is ${epochs}. Hint: an integer ≥ 0 is expected`,
    );
  });

  it('options that it does not know', async () => {
    const { model, train, optimizer } = start();
    const misspelt = { train, optimizer, epochs: 1, onEpochs: () => undefined };
    await expect(fit(model, misspelt)).rejects.toThrow(
      'fit: unknown option: onEpochs. Hint: known options: ',
    );
  });

  it('data of another shape, naming the layer', async () => {
    const wrong = new DataLoader({ ...data, x: new Float32Array(30), shape: [3] }, { batchSize: 4 });
    await expect(run({ train: wrong })).rejects.toThrow(ShapeError);
    await expect(run({ train: wrong })).rejects.toThrow('layer 0');
  });

  it('labels that are no classes', async () => {
    const wrong = new DataLoader({ ...data, labels: new Uint8Array(10).fill(2) }, { batchSize: 4 });
    await expect(run({ train: wrong })).rejects.toThrow(ValueError);
  });

  it('a last batch of one example before BatchNorm, with a hint at dropLast', async () => {
    const nine = { ...data, x: data.x.subarray(2), labels: data.labels.subarray(1) };
    await expect(run({ train: new DataLoader(nine, { batchSize: 4 }) })).rejects.toThrow('dropLast: true');
    const { history } = await run({ train: new DataLoader(nine, { batchSize: 4, dropLast: true }) });
    expect(history.loss).toHaveLength(3);
  });
});

inFloat64(() => {
  it('the model of fit may be of float64, and the batches are then too', async () => {
    manualSeed(1);
    const model = new Dense(2, 2, { dtype: 'float64' });
    const seen: string[] = [];
    await fit(model, {
      train: new DataLoader(data, { batchSize: 5 }),
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      epochs: 1,
      metrics: { spy: (output) => seen.push(output.dtype) },
    });
    expect(seen).toEqual(['float64', 'float64']);
  });
});
