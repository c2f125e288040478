import { describe, expect, it, vi } from 'vitest';
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  type Dataset,
  Dense,
  Dropout,
  fit,
  GammaBetaError,
  Layer,
  manualSeed,
  NonFiniteLossError,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../../src/index.ts';
import { streams } from '../../../src/tensor/random.ts';
import { firstNonFinite } from '../../../src/training/safety/non-finite.ts';
import { values } from '../../tensors.ts';

/** Twelve points, of which the one at index `poisoned` is NaN. */
function points(poisoned?: number): Dataset {
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * i));
  if (poisoned !== undefined) x[2 * poisoned] = NaN;
  return { x, shape: [2], labels: Uint8Array.from({ length: 12 }, (_, i) => i % 2) };
}

/** y = ln(x − 5), which is NaN for small x. */
class Broken extends Layer {
  override forward(x: Tensor): Tensor {
    return x.sub(5).log();
  }
}

function net(...last: Layer[]): Sequential {
  manualSeed(1);
  return new Sequential(new Dense(2, 4), new BatchNorm1d(4), new Dropout(0.5), ...last, new Dense(4, 2));
}

const options = (model: Layer, data: Dataset, epochs = 1) => ({
  train: new DataLoader(data, { batchSize: 4 }),
  optimizer: new SGD(model.parameters(), { lr: 0.1 }),
  epochs,
});

/** The NonFiniteLossError that training rejects with. */
async function failure(training: Promise<unknown>): Promise<NonFiniteLossError> {
  const error: unknown = await training.catch((reason: unknown) => reason);
  if (!(error instanceof NonFiniteLossError)) throw error;
  expect(error).toBeInstanceOf(GammaBetaError);
  expect(error.message).toMatch(/^fit: the loss is .+\. Hint: use a smaller learning rate or clipGradNorm/);
  return error;
}

describe('a loss that is not finite', () => {
  it('names the epoch, the batch and the data, if the data is not finite', async () => {
    const model = net();
    const error = await failure(fit(model, options(model, points(9))));
    expect(error).toMatchObject({ name: 'NonFiniteLossError', op: 'fit', epoch: 1, batch: 3 });
    expect(error.message).toContain('NaN at epoch 1, batch 3; the batch itself is not finite. Hint');
  });

  it('names the first layer whose output is not finite', async () => {
    const model = net(new Broken(), new ReLU());
    const error = await failure(fit(model, options(model, points())));
    expect(error.message).toContain(
      'at epoch 1, batch 1; the first layer whose output is not finite is layer 3, Broken. Hint',
    );
  });

  it('names a parameter that is not finite', async () => {
    const model = net();
    const state = model.stateDict();
    model.loadStateDict({ ...state, '3.bias': tensor([0, Infinity]) });
    const error = await failure(fit(model, options(model, points())));
    expect(error.message).toContain(
      'the first layer whose output is not finite is layer 3, Dense(4 → 2) (the parameter 3.bias is not finite)',
    );
  });

  it('names the loss function, if the outputs of all layers are finite', async () => {
    const model = net();
    const loss = (output: Tensor, labels: Dataset['labels']) => crossEntropy(output, labels).mul(Infinity);
    const error = await failure(fit(model, { ...options(model, points()), loss }));
    expect(error.message).toContain(
      'the loss is Infinity at epoch 1, batch 1; all layers have finite outputs, so the loss',
    );
  });

  it('names a model that is not a Sequential', async () => {
    const model = new (class extends Layer {
      readonly dense: Dense = this.addLayer('dense', new Dense(2, 2));
      override forward(x: Tensor): Tensor {
        return this.dense.forward(x).sub(1e30).log();
      }
      override toString(): string {
        return 'Mine';
      }
    })();
    const error = await failure(fit(model, options(model, points())));
    expect(error.message).toContain('is layer 0, Mine');
  });

  it('is found in a later batch if the learning rate is too large', async () => {
    const model = new Sequential(new Dense(2, 4), new Dense(4, 2));
    const optimizer = new SGD(model.parameters(), { lr: 1e30 });
    const error = await failure(fit(model, { ...options(model, points(), 5), optimizer }));
    expect((error.batch ?? 0) + 3 * ((error.epoch ?? 0) - 1)).toBeGreaterThan(1);
    expect(error.message).toContain('is layer 1, Dense(4 → 2)');
  });

  it('leaves the model, running statistics, optimizer and dropout as before that batch', async () => {
    const model = net();
    const { train, optimizer } = options(model, points(9));
    const after: unknown[] = [];
    const state = () => [
      Object.entries(model.stateDict()).map(([name, t]) => [name, values(t)]),
      optimizer.stateDict(),
      streams.dropout.state,
    ];
    await failure(fit(model, { train, optimizer, epochs: 1, onBatch: () => void after.push(state()) }));
    expect(after).toHaveLength(2);
    expect(state()).toEqual(after[1]);
  });
});

describe('a label out of range', () => {
  it('is refused by fit before the model or the dropout stream changes', async () => {
    const model = net();
    const data = { ...points(), labels: new Uint8Array(12).fill(2) };
    const state = () => [
      Object.entries(model.stateDict()).map(([name, t]) => [name, values(t)]),
      streams.dropout.state,
    ];
    const before = state();
    await expect(fit(model, options(model, data))).rejects.toThrow(
      /^crossEntropy: label 2 at row 0, with 2 classes/,
    );
    expect(state()).toEqual(before);
  });
});

describe('firstNonFinite', () => {
  it('restores running statistics and generators', async () => {
    const model = net(new Broken(), new Dropout(0.5)); // the last layer does not run again
    const x = tensor(points().x, { shape: [12, 2] });
    const start = streams.dropout.state;
    model.forward(x);
    const state = () => ({
      state: Object.entries(model.stateDict()).map(([name, t]) => [name, values(t)]),
      streams: Object.values(streams).map((stream) => stream.state),
    });
    const before = state();
    expect(await firstNonFinite(model, x, start)).toContain('layer 3, Broken');
    expect(state()).toEqual(before);
  });

  it('drops the same elements as in the batch that failed', async () => {
    // 1/x is infinite only where x was dropped, so another mask would hide the layer.
    manualSeed(3);
    const model = new Sequential(new Dropout(0.5), new Masked());
    const x = tensor([[1]]);
    const finite: boolean[] = [];
    for (let k = 0; k < 20; k++) {
      const start = streams.dropout.state;
      finite.push(Number.isFinite(model.forward(x).item()));
      const found = await firstNonFinite(model, x, start);
      expect(found).toContain(finite[k] ? 'all layers have finite outputs' : 'layer 1, Masked');
    }
    expect(new Set(finite).size).toBe(2);
  });

  it('restores running statistics when a layer throws', async () => {
    const model = new Sequential(new BatchNorm1d(2), new Dense(3, 2));
    const x = tensor(points().x, { shape: [12, 2] });
    const before = values(model.stateDict()['0.running_mean']);
    await expect(firstNonFinite(model, x, streams.dropout.state)).rejects.toThrow('layer 1');
    expect(values(model.stateDict()['0.running_mean'])).toEqual(before);
  });
});

/** y = 1/x: infinite where x was dropped. */
class Masked extends Layer {
  override forward(x: Tensor): Tensor {
    return x.pow(-1);
  }
}

describe('a gradient that is not finite in the last step', () => {
  /** Its value is 0 and its gradient is NaN. */
  const loss = (output: Tensor): Tensor => output.sub(output.detach()).pow(2).sum().sqrt();

  it('causes a warning that names the parameter, and the history is returned', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const model = new Sequential(new Dense(2, 2));
    const run = { ...options(model, points()), train: new DataLoader(points(), { batchSize: 12 }) };
    const { loss: losses } = await fit(model, { ...run, loss, metrics: {} });
    expect(losses).toEqual([0]);
    expect(warn.mock.calls).toEqual([
      [
        'fit: the parameter 0.weight is not finite after the last step: its gradient was not. Hint: look for a logarithm, ' +
          'root or quotient at 0 in the model and the loss',
      ],
    ]);
    warn.mockClear();
    await fit(new Sequential(new Dense(2, 2)), run).catch(() => undefined);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('is an error of the next batch, if there is one', async () => {
    const model = new Sequential(new Dense(2, 2));
    await failure(fit(model, { ...options(model, points()), loss, metrics: {} }));
  });
});
