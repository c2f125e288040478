import { describe, expect, it } from 'vitest';
import {
  accuracy,
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  type Dataset,
  Dense,
  Dropout,
  evaluate,
  manualSeed,
  mse,
  noGrad,
  ones,
  ReLU,
  Sequential,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { streams } from '../../src/tensor/random.ts';
import { values } from '../tensors.ts';

/** 300 examples: more than one batch of 256, and the second one smaller. */
const data: Dataset = {
  x: Float32Array.from({ length: 600 }, (_, i) => Math.sin(i * i)),
  shape: [2],
  labels: Uint8Array.from({ length: 300 }, (_, i) => (i * i) % 3),
};

function net(): Sequential {
  manualSeed(1);
  const model = new Sequential(
    new Dense(2, 5),
    new BatchNorm1d(5),
    new ReLU(),
    new Dropout(0.5),
    new Dense(5, 3),
  );
  model.forward(tensor(data.x, { shape: [300, 2] })); // for running statistics
  return model;
}

describe('evaluate', () => {
  it('gives the means over all examples, whatever the batches', async () => {
    const model = net();
    const whole = noGrad(() => model.eval().forward(tensor(data.x, { shape: [300, 2] })));
    const expected = {
      loss: expect.closeTo(crossEntropy(whole, data.labels).item(), 6) as number,
      accuracy: expect.closeTo(await accuracy(whole, data.labels), 12) as number,
    };
    expect(await evaluate(model, data)).toEqual(expected);
    for (const batchSize of [1, 7, 300]) {
      expect(await evaluate(model, new DataLoader(data, { batchSize }))).toEqual(expected);
    }
  });

  it('computes in evaluation mode and without gradients', async () => {
    const model = net();
    const seen: unknown[] = [];
    await evaluate(model, data, {
      metrics: {
        spy: (output) => seen.push(output.requiresGrad, ...model.modules().map((l) => l.training)),
      },
    });
    expect(new Set(seen)).toEqual(new Set([false]));
  });

  it('leaves parameters, running statistics, modes, gradients, generators and the loader as they are', async () => {
    const model = net();
    model.layers[0].eval();
    const loader = new DataLoader(data, { batchSize: 8, shuffle: true });
    loader.epoch = 5;
    const state = () => ({
      state: Object.entries(model.stateDict()).map(([name, t]) => [name, values(t)]),
      modes: model.modules().map((layer) => layer.training),
      gradients: model.parameters().map((w) => w.grad),
      streams: Object.values(streams).map((stream) => stream.state),
      epoch: loader.epoch,
    });
    const before = state();
    await evaluate(model, loader);
    expect(state()).toEqual(before);
    expect(before.modes).toContain(false);
    expect(before.modes).toContain(true);
  });

  it('leaves modes and the loader as they are when it fails', async () => {
    const model = net();
    const loader = new DataLoader({ ...data, labels: new Uint8Array(300).fill(3) }, { batchSize: 8 });
    await expect(evaluate(model, loader)).rejects.toThrow(ValueError);
    expect(model.modules().every((layer) => layer.training)).toBe(true);
    expect(loader.epoch).toBe(0);
  });

  it('takes another loss and other metrics', async () => {
    const targets: Dataset = { x: new Float32Array([1, 2]), shape: [1], labels: new Float32Array([1, 5]) };
    const results = await evaluate(new Dense(1, 1, { init: ones }), targets, {
      loss: (output, labels) => mse(output, tensor(labels, { shape: output.shape })),
      metrics: { largest: (output) => output.max().item() },
    });
    expect(results).toEqual({ loss: (0 + 9) / 2, largest: 2 });
  });

  it('gives the loss alone with metrics {}', async () => {
    expect(Object.keys(await evaluate(net(), data, { metrics: {} }))).toEqual(['loss']);
  });

  it('takes a model without parameters', async () => {
    const points: Dataset = { x: new Float32Array([1, 0, 0, 1]), shape: [2], labels: new Uint8Array([0, 1]) };
    expect(await evaluate(new ReLU(), points)).toMatchObject({ accuracy: 1 });
  });

  it('stops between two batches when the signal is aborted', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    let batches = 0;
    const metrics = {
      spy: () => {
        controller.abort(reason);
        return ++batches;
      },
    };
    const evaluation = evaluate(net(), data, { metrics, signal: controller.signal });
    await expect(evaluation).rejects.toBe(reason);
    expect(batches).toBe(1);
    await expect(evaluate(net(), data, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('refuses a loss of several values, of which the first would pass for all', async () => {
    const perRow = (output: Tensor, labels: Dataset['labels']) =>
      crossEntropy(output, Array.from(labels), { reduction: 'none' });
    const evaluation = evaluate(net(), data, { loss: perRow });
    await expect(evaluation).rejects.toThrow(ShapeError);
    await expect(evaluation).rejects.toThrow('evaluate: the loss is not a single value: shape [256]');
  });

  it('refuses options that it does not know, and metrics in the place of the loss', async () => {
    const misspelt = { metrics: {}, losses: 1 };
    await expect(evaluate(net(), data, misspelt)).rejects.toThrow('evaluate: unknown option: losses');
    await expect(evaluate(net(), data, { metrics: { loss: () => 0 } })).rejects.toThrow(ValueError);
  });

  it('reports what is not a number instead of failing', async () => {
    const model = new Dense(2, 3, { init: (shape, options) => zeros(shape, options).add(NaN) });
    expect(await evaluate(model, data)).toMatchObject({ loss: NaN });
  });
});
