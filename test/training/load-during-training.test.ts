/** A state that is loaded while a model is trained or evaluated: between two batches it takes effect, within one it is refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accuracy,
  Adam,
  BatchNorm1d,
  BusyError,
  crossEntropy,
  DataLoader,
  Dense,
  encodeCheckpoint,
  encodeWeights,
  evaluate,
  fit,
  type FitOptions,
  loadWeights,
  manualSeed,
  onBackward,
  onForward,
  predict,
  Recovery,
  ReLU,
  restoreCheckpoint,
  Sequential,
  type StateDict,
  summary,
  trainStep,
  useDevice,
} from '../../src/index.ts';
import { snapshot } from '../layers/helpers.ts';

const data = {
  x: Float32Array.from({ length: 24 }, (_, i) => Math.cos(2 * i)),
  shape: [2],
  labels: Uint8Array.from({ length: 12 }, (_, i) => i % 3),
};

function parts() {
  manualSeed(5);
  const model = new Sequential(new Dense(2, 4), new BatchNorm1d(4), new ReLU(), new Dense(4, 3));
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const train = new DataLoader(data, { batchSize: 4, shuffle: true, seed: 1 });
  return { model, optimizer, train, options: { optimizer, train } };
}

/** The state of the same network after another training. */
let state: StateDict;
let loaded: ReturnType<typeof snapshot>;
let checkpoint: Uint8Array;
let weights: Uint8Array;
let removeHook = (): void => undefined;

beforeEach(async () => {
  await useDevice('wasm');
  const { model, optimizer } = parts();
  await fit(model, { train: data, optimizer, epochs: 2 });
  state = model.stateDict();
  loaded = snapshot(model);
  checkpoint = await encodeCheckpoint({ model });
  weights = encodeWeights(model);
});
afterEach(() => removeHook());

type Load = (model: Sequential) => unknown;
const loads: [string, Load][] = [
  ['loadStateDict', (model) => model.loadStateDict(state)],
  [
    'loadStateDict',
    (model) => model.layers[3].loadStateDict({ weight: state['3.weight'], bias: state['3.bias'] }),
  ],
  ['loadWeights', (model) => loadWeights(model, weights)],
  ['restoreCheckpoint', (model) => restoreCheckpoint(checkpoint, { model })],
];

describe('between two batches of fit', () => {
  it.each(['onBatch', 'onEpoch'] as const)(
    '%s may load: training continues from that state',
    async (callback) => {
      const whole = parts();
      let calls = 0;
      await fit(whole.model, {
        ...whole.options,
        epochs: 2,
        [callback]: () => {
          calls++;
          if (calls !== (callback === 'onBatch' ? 3 : 1)) return;
          whole.model.loadStateDict(state);
          expect(snapshot(whole.model)).toEqual(loaded); // at once
        },
      });

      const inParts = parts();
      await fit(inParts.model, { ...inParts.options, epochs: 1 });
      inParts.model.loadStateDict(state);
      await fit(inParts.model, { ...inParts.options, initialEpoch: 1, epochs: 2 });
      expect(snapshot(whole.model)).toEqual(snapshot(inParts.model));
    },
  );
});

describe.each(loads)('within a batch, %s is refused by name', (name, load) => {
  /** Places in a step from which user code can load. */
  const places: Record<string, (model: Sequential) => Partial<FitOptions>> = {
    'in the loss': (model) => ({
      loss: (output, labels) => {
        load(model);
        return crossEntropy(output, labels);
      },
    }),
    'in a metric': (model) => ({
      metrics: {
        accuracy: (output, labels) => {
          load(model);
          return accuracy(output, labels);
        },
      },
    }),
    'after a metric has waited': (model) => ({
      metrics: {
        accuracy: async (output, labels) => {
          const value = await accuracy(output, labels);
          load(model);
          return value;
        },
      },
    }),
    'in a hook of the forward pass': (model) => {
      removeHook = onForward(model.layers[2], () => void load(model));
      return {};
    },
    'in a hook of the backward pass': (model) => {
      removeHook = onBackward(model.layers[2], () => void load(model));
      return {};
    },
  };

  it.each(Object.entries(places))('%s, and the model is as it was', async (_, optionsFor) => {
    const { model, optimizer, train } = parts();
    const before = snapshot(model);
    const options = optionsFor(model);
    const error = await fit(model, { train, optimizer, epochs: 1, ...options }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BusyError);
    expect(String(error)).toContain(`${name}: fit is computing a batch of the model`);
    expect(snapshot(model)).toEqual(before);
    load(model); // afterwards it is taken
    expect(snapshot(model)).not.toEqual(before);
  });

  it('in trainStep, evaluate and predict too', async () => {
    const { model, optimizer, train } = parts();
    const [batch] = train;
    const metrics = { loaded: () => (load(model), 1) };
    const before = snapshot(model);
    await expect(trainStep(model, batch, { optimizer, metrics })).rejects.toThrow('trainStep is computing');
    await expect(evaluate(model, data, { metrics })).rejects.toThrow('evaluate is computing');
    removeHook = onForward(model.layers[3], () => void load(model));
    await expect(predict(model, data)).rejects.toThrow('predict is computing');
    expect(snapshot(model)).toEqual(before);
  });
});

describe('within a batch', () => {
  it('another model can be loaded', async () => {
    const { model, optimizer, train } = parts();
    const other = parts().model;
    const metrics = { loaded: () => (other.loadStateDict(state), 1) };
    await fit(model, { train, optimizer, epochs: 1, metrics });
    expect(snapshot(other)).toEqual(loaded);
  });

  it('summary of the model changes nothing', async () => {
    const [alone, observed] = [parts(), parts()];
    await fit(alone.model, { ...alone.options, epochs: 1 });
    const metrics = { lines: () => summary(observed.model).split('\n').length };
    const history = await fit(observed.model, { ...observed.options, epochs: 1, metrics });
    expect(history.lines).toEqual([7]);
    expect(snapshot(observed.model)).toEqual(snapshot(alone.model));
  });

  it('Recovery does not resume, and the model is as it was', async () => {
    const { model, optimizer, train } = parts();
    const recovery = new Recovery({ model, optimizer });
    await recovery.save();
    const before = snapshot(model);
    const metrics = { resumed: () => recovery.resume('cpu').then(() => 1) };
    await expect(fit(model, { train, optimizer, epochs: 1, metrics })).rejects.toBeInstanceOf(BusyError);
    expect(snapshot(model)).toEqual(before);
  });
});
