import { describe, expect, it } from 'vitest';
import { append, RunningMeans, validationColumn } from '../../src/training/history.ts';

describe('RunningMeans', () => {
  it('weights each batch by its number of examples', () => {
    const means = new RunningMeans();
    means.add({ loss: 1, accuracy: 0.5 }, 4);
    means.add({ loss: 4, accuracy: 1 }, 2);
    expect(means.means).toEqual({ loss: 2, accuracy: 4 / 6 });
  });

  it('is NaN after a value of NaN', () => {
    const means = new RunningMeans();
    means.add({ loss: 1 }, 4);
    means.add({ loss: NaN }, 4);
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
