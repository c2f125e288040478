/** The options of `fit` beyond the loop: schedules, resuming, early stopping, clipping, targets, and refusals. */
import { describe, expect, it } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  clipGradNorm,
  crossEntropy,
  DataLoader,
  type Dataset,
  Dense,
  encodeCheckpoint,
  fit,
  type FitOptions,
  freeze,
  type Layer,
  manualSeed,
  mse,
  restoreCheckpoint,
  Sequential,
  SGD,
  stepDecay,
  type Tensor,
  tensor,
} from '../../src/index.ts';

const data: Dataset = {
  x: Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
  shape: [2],
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 2),
};

function setUp(lr = 0.1) {
  manualSeed(4);
  const model = new Sequential(new Dense(2, 4), new BatchNorm1d(4), new Dense(4, 2));
  const optimizer = new SGD(model.parameters(), { lr, momentum: 0.5 });
  const train = new DataLoader(data, { batchSize: 5, shuffle: true, seed: 2 });
  return { model, optimizer, train };
}

const values = (model: Layer) => Object.values(model.stateDict()).map((t) => t.toArray());

describe('schedule', () => {
  const schedule = stepDecay(0.5, { every: 2, factor: 0.1 });

  async function rates(parts: readonly [initialEpoch: number, epochs: number][], by: 'step' | 'epoch') {
    const { model, optimizer, train } = setUp();
    const seen: number[] = [];
    for (const [initialEpoch, epochs] of parts) {
      const note = () => void seen.push(Number(optimizer.lr.toFixed(6)));
      const given = by === 'step' ? schedule : { by, rate: schedule };
      await fit(model, { train, optimizer, initialEpoch, epochs, schedule: given, onBatch: note });
    }
    return seen;
  }

  it('counts steps, also over a run in parts', async () => {
    const expected = [0.5, 0.5, 0.05, 0.05, 0.005, 0.005, 0.0005, 0.0005];
    expect(await rates([[0, 2]], 'step')).toEqual(expected);
    expect(await rates([[0, 1], [1, 2]], 'step')).toEqual(expected); // prettier-ignore
  });

  it('counts epochs, also over a run in parts', async () => {
    const expected = [0.5, 0.5, 0.05].flatMap((rate) => [rate, rate, rate, rate]);
    expect(await rates([[0, 3]], 'epoch')).toEqual(expected);
    expect(await rates([[0, 1], [1, 3]], 'epoch')).toEqual(expected); // prettier-ignore
  });

  it('keeps the ratio between parameter groups', async () => {
    const { model, train } = setUp();
    const [first, ...others] = model.parameters();
    const optimizer = new SGD(
      [
        { params: [first], lr: 0.1 },
        { params: others, lr: 0.001 },
      ],
      { lr: 1 },
    );
    await fit(model, { train, optimizer, epochs: 1, schedule: () => 0.05 });
    const [a, b] = optimizer.stateDict().groups.map(({ options }) => (options as { lr: number }).lr);
    expect(a).toBe(0.05);
    expect(b).toBeCloseTo(0.0005, 10);
  });

  it('that returns no rate is refused', async () => {
    const { model, optimizer, train } = setUp();
    const run = fit(model, { train, optimizer, epochs: 1, schedule: () => NaN });
    await expect(run).rejects.toThrow('fit: the rate of the schedule is NaN');
  });
});

describe('initialEpoch', () => {
  it('goes on with a run from a checkpoint as if it had not stopped', async () => {
    const whole = setUp();
    await fit(whole.model, { train: whole.train, optimizer: whole.optimizer, epochs: 4 });
    const first = setUp();
    await fit(first.model, { train: first.train, optimizer: first.optimizer, epochs: 2 });
    const bytes = await encodeCheckpoint({
      model: first.model,
      optimizer: first.optimizer,
      loader: first.train,
    });

    const { model, optimizer, train } = setUp();
    const { epoch } = restoreCheckpoint(bytes, { model, optimizer, loader: train });
    const epochs: number[] = [];
    const history = await fit(model, {
      train,
      optimizer,
      initialEpoch: epoch,
      epochs: 4,
      onEpoch: ({ epoch }) => void epochs.push(epoch),
    });
    expect(epochs).toEqual([3, 4]);
    expect(history.loss).toHaveLength(2);
    expect(values(model)).toEqual(values(whole.model));
  });

  it('a finished run that is started again does nothing', async () => {
    const { model, optimizer, train } = setUp();
    const before = values(model);
    for (const more of [{ epochs: 3, initialEpoch: 3 }, { epochs: 0 }, { epochs: 2, initialEpoch: 5 }]) {
      const history = await fit(model, { train, validation: data, optimizer, ...more });
      expect(history).toEqual({ loss: [], accuracy: [], valLoss: [], valAccuracy: [], seconds: [] });
    }
    expect(values(model)).toEqual(before);
    expect(train.epoch).toBe(0);
  });
});

describe('ending early', () => {
  it('onEpoch that returns false, or a promise of it, ends fit with the history', async () => {
    for (const answer of [false, Promise.resolve(false)]) {
      const { model, optimizer, train } = setUp();
      const onEpoch = ({ epoch }: { epoch: number }) => (epoch === 3 ? answer : undefined);
      const { loss } = await fit(model, { train, optimizer, epochs: 50, onEpoch });
      expect(loss).toHaveLength(3);
    }
  });

  /** Runs `fit` with a metric that takes these values, one per epoch. */
  async function stopped(scores: readonly number[], earlyStopping: FitOptions['earlyStopping']) {
    const { model, optimizer } = setUp();
    const train = new DataLoader(data, { batchSize: 20 });
    const states: unknown[] = [];
    let epoch = 0;
    const history = await fit(model, {
      train,
      optimizer,
      epochs: scores.length,
      metrics: { score: () => scores[epoch++] },
      onEpoch: () => void states.push(values(model)),
      ...(earlyStopping && { earlyStopping }),
    });
    return { epochs: history.loss.length, states, end: values(model) };
  }

  it('earlyStopping waits for `patience` epochs without improvement', async () => {
    const scores = [3, 2, 2, 2.5, 1, 1, 1, 1];
    expect((await stopped(scores, { monitor: 'score' })).epochs).toBe(3);
    expect((await stopped(scores, { monitor: 'score', patience: 0 })).epochs).toBe(3);
    expect((await stopped(scores, { monitor: 'score', patience: 3 })).epochs).toBe(8);
    expect((await stopped(scores, { monitor: 'score', patience: 2, minDelta: 1 })).epochs).toBe(3);
    expect((await stopped(scores, { monitor: 'score', mode: 'max' })).epochs).toBe(2);
  });

  it('does not take NaN for an improvement', async () => {
    expect((await stopped([NaN, 2, NaN, NaN, 1], { monitor: 'score', patience: 2 })).epochs).toBe(4);
  });

  it('restoreBest leaves the model in the state of its best epoch', async () => {
    const best = await stopped([3, 1, 2, 2, 2], { monitor: 'score', patience: 2, restoreBest: true });
    expect(best.epochs).toBe(4);
    expect(best.end).toEqual(best.states[1]);
    const whole = await stopped([3, 1, 2], { monitor: 'score', patience: 9, restoreBest: true });
    expect(whole.end).toEqual(whole.states[1]);
    const last = await stopped([3, 1, 2, 2, 2], { monitor: 'score', patience: 2 });
    expect(last.end).toEqual(last.states[3]);
  });

  it('watches the validation loss by default, and accuracies the other way round', async () => {
    const { model, optimizer, train } = setUp(1e-9);
    const run = (monitor?: string) =>
      fit(model, {
        train,
        validation: data,
        optimizer,
        epochs: 9,
        earlyStopping: monitor ? { monitor, minDelta: 0.5 } : { minDelta: 0.5 },
      });
    expect((await run()).loss).toHaveLength(2);
    expect((await run('valAccuracy')).loss).toHaveLength(2);
    await expect(run('nonsense')).rejects.toThrow(
      "fit: earlyStopping.monitor is 'nonsense' (a string). Hint: use a column of the history: loss, accuracy, valLoss, valAccuracy, seconds",
    );
    const unvalidated = fit(model, { train, optimizer, epochs: 1, earlyStopping: { monitor: 'valLoss' } });
    await expect(unvalidated).rejects.toThrow(
      "fit: earlyStopping.monitor is 'valLoss' (a string). Hint: pass validation data, or use a column of the history: loss, accuracy, seconds",
    );
  });

  it('refuses a column that the history will not have before the first batch, whatever the loss', async () => {
    const losses: FitOptions['loss'][] = [mse, (y, labels) => mse(y, labels)];
    for (const loss of losses) {
      const model = new Sequential(new Dense(2, 1), new BatchNorm1d(1));
      const before = model.stateDict();
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const loader = new DataLoader(data, { batchSize: 20, shuffle: true });
      const options = { train: loader, validation: data, optimizer, epochs: 2, ...(loss && { loss }) };
      for (const monitor of ['accuracy', 'valAccuracy', 'nonsense']) {
        await expect(fit(model, { ...options, earlyStopping: { monitor } })).rejects.toThrow(
          `fit: earlyStopping.monitor is '${monitor}' (a string). Hint: use a column of the history: loss, valLoss, seconds`,
        );
      }
      expect(loader.epoch).toBe(0);
      expect(model.stateDict()).toEqual(before);
      expect(Object.keys(await fit(model, options))).toEqual(['loss', 'valLoss', 'seconds']);
    }
  });

  it('takes the accuracy of class labels with a loss of your own, and changes no number by looking', async () => {
    const loss: FitOptions['loss'] = (y, labels) => crossEntropy(y, labels);
    const runs = ['accuracy', 'loss'].map(async (monitor) => {
      const { model, optimizer, train } = setUp();
      const earlyStopping = { monitor, patience: 9 };
      const history = await fit(model, { train, optimizer, epochs: 3, loss, earlyStopping });
      return { ...history, seconds: [], state: values(model) };
    });
    const [watched, unwatched] = await Promise.all(runs);
    expect(watched).toEqual(unwatched);
    expect(watched.accuracy).toHaveLength(3);
    const { model, optimizer, train } = setUp();
    const done = { train, optimizer, epochs: 3, initialEpoch: 3, loss };
    expect(await fit(model, { ...done, earlyStopping: { monitor: 'accuracy' } })).toMatchObject({ loss: [] });
  });
});

describe('clipGradNorm', () => {
  it('clips between backward and step', async () => {
    const whole = setUp();
    const loader = new DataLoader(data, { batchSize: 20 });
    await fit(whole.model, { train: loader, optimizer: whole.optimizer, epochs: 1, clipGradNorm: 0.01 });
    const { model, optimizer } = setUp();
    const [{ x, labels }] = loader;
    crossEntropy(model.forward(tensor(x, { shape: [20, 2] })), labels).backward();
    clipGradNorm(model.parameters(), 0.01);
    optimizer.step();
    expect(values(model)).toEqual(values(whole.model));
  });

  it('refuses what is not a number > 0', async () => {
    const { model, optimizer, train } = setUp();
    const run = fit(model, { train, optimizer, epochs: 1, clipGradNorm: 0 });
    await expect(run).rejects.toThrow('fit: clipGradNorm is 0');
  });
});

describe('the training data', () => {
  it('may be a dataset, which is used in shuffled batches of 32', async () => {
    const train = { x: new Float32Array(70).map((_, i) => i % 7), shape: [1], labels: new Uint8Array(70) };
    const fitted = async (source: Dataset | DataLoader) => {
      manualSeed(4);
      const model = new Dense(1, 2);
      const sizes: number[] = [];
      const onBatch = ({ examples }: { examples: number }) => void sizes.push(examples);
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const { loss } = await fit(model, { train: source, optimizer, epochs: 2, onBatch });
      return { sizes, loss };
    };
    const dataset = await fitted(train);
    expect(dataset.sizes).toEqual([32, 32, 6, 32, 32, 6]);
    expect(await fitted(train)).toEqual(dataset);
  });

  it('may have targets of any shape, and a loss of the library trains on them', async () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const labels = x.map((value, i) => (i % 2 === 0 ? value + x[i + 1] : value - x[i - 1]));
    const model = new Dense(2, 2);
    const optimizer = new Adam(model.parameters(), { lr: 0.1 });
    const train = new DataLoader({ x, shape: [2], labels, targetShape: [2] }, { batchSize: 4 });
    const history = await fit(model, { train, optimizer, loss: mse, epochs: 60 });
    expect(history.loss.at(-1)).toBeLessThan(1e-3);
    expect(Object.keys(history)).toEqual(['loss', 'seconds']); // no accuracy
  });

  it('a last batch of one example is refused before the first batch, with batch normalization', async () => {
    const { model, optimizer } = setUp();
    const before = values(model);
    const [examples, shape, labels] = [new Float32Array(42), [2], new Uint8Array(21)];
    const loader = new DataLoader({ x: examples, shape, labels }, { batchSize: 5 });
    const message =
      'fit: the last of 21 examples is a batch of its own, in batches of 5: layer 1, BatchNorm1d(4): 1 value per feature';
    await expect(fit(model, { train: loader, optimizer, epochs: 1 })).rejects.toThrow(message);
    expect(values(model)).toEqual(before);
    expect(loader.epoch).toBe(0);
    const dropping = new DataLoader({ x: examples, shape, labels }, { batchSize: 5, dropLast: true });
    await fit(model, { train: dropping, optimizer, epochs: 1 });
    const plain = new Dense(2, 2);
    await fit(plain, { train: loader, optimizer: new SGD(plain.parameters(), { lr: 1 }), epochs: 1 });
  });
});

describe('fit refuses, and changes nothing:', () => {
  const cases: Record<string, [options: object, message: string]> = {
    'an optimizer of another model': [
      { optimizer: new SGD(new Dense(1, 1).parameters(), { lr: 1 }) },
      'fit: the optimizer holds none of the 6 parameters of the model. Hint: make the optimizer with model.parameters()',
    ],
    'no optimizer': [
      { optimizer: undefined },
      'fit: optimizer is not an optimizer: undefined. Hint: pass one',
    ],
    'a loss that is a name': [{ loss: 'crossEntropy' }, "fit: loss is 'crossEntropy' (a string)"],
    'an asynchronous loss': [
      { loss: () => Promise.resolve(1) },
      'fit: the loss is not a tensor: a Promise. Hint: return a tensor with the mean over the batch, not a promise of one',
    ],
    'a metric that returns no number': [
      { metrics: { twice: () => '2' } },
      "fit: the metric twice returned no number: '2' (a string). Hint: return a number",
    ],
    'a controller in place of its signal': [
      { signal: new AbortController() },
      'fit: signal is not an AbortSignal: an AbortController. Hint: pass the signal of an AbortController',
    ],
    'train that is no data': [
      { train: [1, 2] },
      'fit: train is neither a DataLoader nor a dataset: an Array of 2',
    ],
    'validation that is no data': [
      { validation: null },
      'fit: validation is neither a DataLoader nor a dataset: null',
    ],
    'validation data of another shape than the model takes': [
      { validation: { x: new Float32Array(6), shape: [3], labels: new Uint8Array(2) } },
      'layer 0, Dense(2 → 4): expected x [batch, 2]: [1, 3]',
    ],
    'a loss that does not depend on the model': [
      { loss: () => tensor([2], { requiresGrad: true }).sum() },
      'fit: the loss does not depend on the parameters of the optimizer. Hint: compute it from the output',
    ],
    'a loss that calls backward()': [
      {
        loss: (output: Tensor, labels: ArrayLike<number>) => {
          const loss = crossEntropy(output, labels);
          loss.backward();
          return loss;
        },
      },
      'fit: the loss function called backward(). Hint: return the loss',
    ],
    'a schedule that is a number': [
      { schedule: 0.1 },
      'fit: schedule is 0.1. Hint: pass a function of the step',
    ],
    'a callback that is no function': [{ onEpoch: true }, 'fit: onEpoch is true'],
    'labels that are all ignored': [
      { train: { ...data, labels: new Int8Array(20).fill(-100) } },
      'fit: no label counts: all are ignored or have weight 0',
    ],
  };
  it.each(Object.entries(cases))('%s', async (_, [given, message]) => {
    const { model, optimizer, train } = setUp();
    const options = { train, optimizer, epochs: 1, ...given } as FitOptions;
    const before = values(model);
    await expect(fit(model, options)).rejects.toThrow(message);
    const isLate = /no label counts|called backward/.test(message); // after a forward pass
    if (!isLate) expect(values(model)).toEqual(before);
  });

  it('an optimizer whose parameters are all frozen', async () => {
    const { model, train } = setUp();
    const [first] = model.layers;
    const optimizer = new SGD(freeze(first).parameters(), { lr: 1 });
    await expect(fit(model, { train, optimizer, epochs: 1 })).rejects.toThrow(
      'fit: none of the parameters that the optimizer holds requires a gradient',
    );
  });

  it('metrics with the names of JavaScript’s own members are columns like others', async () => {
    const { model, optimizer, train } = setUp();
    const metrics = { constructor: () => 1, toString: () => 2 };
    const history = await fit(model, { train, validation: data, optimizer, epochs: 2, metrics });
    expect(Object.entries(history)).toEqual(
      expect.arrayContaining([['constructor', [1, 1]], ['valToString', [2, 2]]]), // prettier-ignore
    );
  });
});
