import { describe, expect, it } from 'vitest';
import { append, RunningMeans, validationColumn } from '../../src/training/history.ts';

describe('RunningMeans', () => {
  it('weights each batch by what counted in it', () => {
    const means = new RunningMeans();
    means.add({ loss: { value: 1, count: 4 }, accuracy: { value: 0.5, count: 4 } });
    means.add({ loss: { value: 4, count: 2 }, accuracy: { value: 1, count: 2 } });
    expect(means.means).toEqual({ loss: 2, accuracy: 4 / 6 });
  });

  it('is NaN after a value of NaN', () => {
    const means = new RunningMeans();
    means.add({ loss: { value: 1, count: 4 } });
    means.add({ loss: { value: NaN, count: 4 } });
    expect(means.means).toEqual({ loss: NaN });
  });

  it('is empty before the first batch', () => {
    expect(new RunningMeans().means).toEqual({});
  });
});

describe('a history', () => {
  it('names validation columns in camel case', () => {
    expect(['loss', 'accuracy', 'f1'].map(validationColumn)).toEqual(['valLoss', 'valAccuracy', 'valF1']);
  });

  it('grows by one entry per column', () => {
    const history = { loss: [1], seconds: [] };
    append(history, { loss: 0.5, seconds: 2, extra: 3 });
    expect(history).toEqual({ loss: [1, 0.5], seconds: [2], extra: [3] });
  });
});
