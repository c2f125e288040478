/** The types of results: the compiler reports an expected error that does not occur. */
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  crossEntropy,
  type Dataset,
  Dense,
  evaluate,
  fit,
  type FitOptions,
  type History,
  type Loss,
  mse,
  type Results,
  SGD,
  trainStep,
} from '../../src/index.ts';

const x = new Float32Array([1, 2]);
const numbers: Dataset = { x, shape: [1], labels: new Float32Array([0.5, 1.5]) };
const classes: Dataset = { x, shape: [1], labels: new Uint8Array([0, 1]) };
const batch = { x, shape: [2, 1], labels: new Uint8Array([0, 1]) };

function training(data: Dataset, outputs = 1) {
  const model = new Dense(1, outputs);
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  return { model, options: { train: data, validation: data, optimizer, epochs: 1 } };
}

/** A loss of one's own for class labels. */
const scaled: Loss = (output, labels) => crossEntropy(output, labels).mul(0.5);

describe('with a loss and no metrics, the type of an accuracy is optional', () => {
  it('in the history', async () => {
    const { model, options } = training(numbers);
    const history = await fit(model, { ...options, loss: mse });
    // @ts-expect-error possibly undefined
    expect(() => history.accuracy.at(-1)).toThrow(TypeError);
    // @ts-expect-error possibly undefined
    expect(() => history.valAccuracy.at(-1)).toThrow(TypeError);
    const columns: number[][] = [history.loss, history.valLoss, history.seconds];
    expect(columns.map(({ length }) => length)).toEqual([1, 1, 1]);
    const all: History = history;
    expect(Object.keys(all)).not.toContain('accuracy');
  });

  it('in the history, also where there is one', async () => {
    const { model, options } = training(classes, 2);
    const history = await fit(model, { ...options, loss: scaled });
    expect(history.accuracy?.at(-1)).toBeGreaterThanOrEqual(0);
    expect(history.valAccuracy?.at(-1)).toBeGreaterThanOrEqual(0);
  });

  it('in the history, for a function that is written in place', async () => {
    const { model, options } = training(numbers);
    const loss: number[] = (await fit(model, { ...options, loss: (y, t) => mse(y, t).mul(2) })).loss;
    expect(loss).toHaveLength(1);
    const { accuracy } = await fit(model, { ...options, loss: (y, t) => mse(y, t).mul(2) });
    // @ts-expect-error possibly undefined
    const values: number[] = accuracy;
    expect(values).toBeUndefined();
  });

  it('in the history, for a loss that may be left out', async () => {
    const { model, options } = training(classes, 2);
    const own: { loss?: Loss } = {};
    const history = await fit(model, { ...options, ...own });
    // @ts-expect-error possibly undefined
    expect(history.accuracy.at(-1)).toBeGreaterThanOrEqual(0);
  });

  it('in the results of evaluate and trainStep', async () => {
    const { model, options } = training(numbers);
    const results: Results = await evaluate(model, numbers, { loss: mse });
    expect(Object.keys(results)).toEqual(['loss']);
    const evaluated = await evaluate(model, numbers, { loss: mse });
    const trained = await trainStep(model, batch, { optimizer: options.optimizer, loss: mse });
    // @ts-expect-error possibly undefined
    expect(() => evaluated.accuracy.toFixed(2)).toThrow(TypeError);
    // @ts-expect-error possibly undefined
    expect(() => trained.accuracy.toFixed(2)).toThrow(TypeError);
    expect([evaluated.loss.toFixed(2), trained.loss.toFixed(2)]).toHaveLength(2);
  });
});

describe('the type of a result is a number', () => {
  it('for the accuracy without a loss', async () => {
    const { model, options } = training(classes, 2);
    const { accuracy, valAccuracy } = await fit(model, options);
    const { accuracy: evaluated } = await evaluate(model, classes);
    const { accuracy: trained } = await trainStep(model, batch, { optimizer: options.optimizer });
    const values: (number | undefined)[] = [accuracy.at(-1), valAccuracy.at(-1), evaluated, trained];
    for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
    expect(evaluated.toFixed(1)).toHaveLength(3);
  });

  it('for given metrics, with a loss too, and other columns are errors', async () => {
    const { model, options } = training(classes, 2);
    const history = await fit(model, { ...options, loss: scaled, metrics: { accuracy } });
    expect(history.accuracy.at(-1)).toBe(history.valAccuracy.at(-1));
    const results = await evaluate(model, classes, { loss: scaled, metrics: { one: () => 1 } });
    expect(results.one.toFixed()).toBe('1');
    // @ts-expect-error no such metric
    expect(results.accuracy).toBeUndefined();
    const none = await trainStep(model, batch, { optimizer: options.optimizer, loss: scaled, metrics: {} });
    // @ts-expect-error no such metric
    expect(none.accuracy).toBeUndefined();
  });

  it('for every column, if the options have a general type', async () => {
    const { model, options } = training(classes, 2);
    const general: FitOptions = options;
    const history = await fit(model, general);
    expect(history.accuracy.at(-1)).toBeGreaterThanOrEqual(0);
  });
});
