import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkClassLabels, checkDataset, split, take, type Dataset } from '../../src/data/dataset.ts';
import { numbered, refusal } from './helpers.ts';

describe('checkDataset', () => {
  const good = numbered(4, [2, 3]);
  const refused = (change: Partial<Record<keyof Dataset, unknown>>) =>
    refusal(() => checkDataset('fit', { ...good, ...change } as Dataset)).problem;

  it('returns the number of examples', () => {
    expect(checkDataset('fit', good)).toBe(4);
    expect(checkDataset('fit', { x: new Uint8Array(3), shape: [], labels: new Float64Array(3) })).toBe(3);
  });

  it('names the calling function', () => {
    expect(refusal(() => checkDataset('evaluate', { ...good, labels: new Uint8Array(1) })).op).toBe(
      'evaluate',
    );
  });

  it('gives both numbers if labels and examples differ', () => {
    expect(refused({ labels: new Uint8Array(3) })).toBe(
      'the numbers of labels and examples differ: 3 labels, 4 examples',
    );
  });

  it('refuses x with an incomplete example', () => {
    expect(refused({ x: new Uint8Array(25) })).toBe(
      'x does not hold whole examples: 25 values, 6 for each example of shape [2, 3]',
    );
  });

  it('refuses a dataset without examples', () => {
    expect(refused({ x: new Uint8Array(), labels: new Uint8Array() })).toBe(
      'the dataset is empty: 0 examples',
    );
  });

  it.each([[[0]], [[-1]], [[1.5]], [[NaN]], [[2, Infinity]]])('refuses examples of shape %j', (shape) => {
    expect(refused({ shape })).toContain(`[${shape.join(', ')}]`);
  });

  it.each([undefined, 4, '[4]', null])('refuses %s as the shape', (shape) => {
    expect(refused({ shape })).toBe(`shape is not an array: ${shape}`);
  });

  it.each([0, -1, NaN, Infinity])('refuses %s as the divisor', (divisor) => {
    expect(refused({ divisor })).toBe(`divisor is not a positive number: ${divisor}`);
  });

  it.each([0, -1, NaN, Infinity])('refuses %s as the deviation', (deviation) => {
    expect(refused({ deviation })).toBe(`deviation is not a positive number: ${deviation}`);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s as the mean', (mean) => {
    expect(refused({ mean })).toBe(`mean is not a finite number: ${mean}`);
  });

  it('refuses other arrays than typed arrays of numbers, and names their kind', () => {
    expect(refused({ labels: [1, 2, 3, 4] })).toBe('labels is not a typed array of numbers: Array');
    expect(refused({ x: new BigInt64Array(24) })).toBe('x is not a typed array of numbers: BigInt64Array');
    expect(refused({ x: new DataView(new ArrayBuffer(24)) })).toContain('numbers: DataView');
    expect(refused({ x: undefined })).toBe('x is not a typed array of numbers: Undefined');
  });

  it('accepts a Buffer', () => {
    expect(checkDataset('fit', { ...good, labels: Buffer.from([1, 2, 3, 4]) })).toBe(4);
  });
});

describe('targetShape', () => {
  const data: Dataset = {
    ...numbered(3, [2]),
    labels: new Float32Array([1, 2, 3, 4, 5, 6]),
    targetShape: [2],
  };

  it('says how many labels an example has', () => {
    expect(checkDataset('fit', data)).toBe(3);
    expect(checkDataset('fit', { ...numbered(3), targetShape: [] })).toBe(3);
    expect(checkDataset('fit', { ...numbered(3), targetShape: [1, 1] })).toBe(3);
  });

  it('refuses another number of labels', () => {
    const error = refusal(() => checkDataset('fit', { ...data, labels: new Float32Array(3) }));
    expect(error.problem).toBe(
      'the numbers of labels and examples differ: 3 labels, 3 examples, with targets of shape [2]',
    );
    expect(error.hint).toBe('give 2 labels for each example');
  });

  it.each([[[0]], [[1.5]], [[-2]]])('refuses targets of shape %j', (targetShape) => {
    expect(refusal(() => checkDataset('fit', { ...data, targetShape })).problem).toContain('of a target');
  });

  it('is respected by split and take', () => {
    const [first, rest] = split(data, 2);
    expect([...first.labels]).toEqual([1, 2, 3, 4]);
    expect([...rest.labels]).toEqual([5, 6]);
    expect(rest.targetShape).toEqual([2]);
    expect([...take(data, 1).labels]).toEqual([1, 2]);
  });
});

describe('checkClassLabels', () => {
  it('accepts integers from 0, below the number of classes if it is given', () => {
    expect(() => checkClassLabels('fit', new Uint8Array([0, 255]))).not.toThrow();
    expect(() => checkClassLabels('fit', new Float32Array([0, 9]), 10)).not.toThrow();
  });

  it.each([10, -1, 0.5, NaN, Infinity])('refuses the label %s, and gives its index', (label) => {
    const error = refusal(() => checkClassLabels('fit', new Float64Array([0, 1, label]), 10));
    expect(error.problem).toBe(`label 2 of 3 is not a class: ${label}`);
    expect(error.hint).toBe('labels are integers from 0 to 9');
  });

  it('refuses an infinite label if no number of classes is given', () => {
    expect(refusal(() => checkClassLabels('fit', new Float32Array([Infinity]))).hint).toBe(
      'labels are integers from 0',
    );
  });
});

describe('split', () => {
  it('gives the first examples and the rest, for all sizes', () => {
    const sizes = fc
      .integer({ min: 2, max: 40 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })));
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 3 }), ([n, count], size) => {
        const data = numbered(n, [size]);
        const [first, rest] = split(data, count);
        expect([...first.x, ...rest.x]).toEqual([...data.x]);
        expect([...first.labels, ...rest.labels]).toEqual([...data.labels]);
        expect(checkDataset('first', first)).toBe(count);
        expect(checkDataset('rest', rest)).toBe(n - count);
      }),
    );
  });

  it('shares the memory, and keeps the other fields of the dataset', () => {
    const data = { ...numbered(3, [2]), divisor: 255 };
    const [first, rest] = split(data, 1);
    for (const part of [first, rest]) {
      expect(part.x.buffer).toBe(data.x.buffer);
      expect(part.labels.buffer).toBe(data.labels.buffer);
      expect(part).toMatchObject({ shape: [2], divisor: 255 });
    }
  });

  it.each([0, 3, 4, -1, 1.5, NaN])('refuses a count of %s of 3', (count) => {
    const error = refusal(() => split(numbered(3), count));
    expect(error.problem).toBe(`count does not fit a dataset of 3 examples: ${count}`);
    expect(error.hint).toBe('use an integer from 1 to 2');
  });

  it('refuses to split one example', () => {
    expect(refusal(() => split(numbered(1), 1)).problem).toBe('one example cannot be split');
  });

  it('refuses a dataset whose parts do not fit each other', () => {
    expect(refusal(() => split({ ...numbered(3), labels: new Uint8Array(2) }, 1)).op).toBe('split');
  });
});

describe('take', () => {
  it('gives the first examples, or all of them', () => {
    expect(take(numbered(3, [2]), 2)).toEqual(numbered(2, [2]));
    expect(take(numbered(3), 3)).toEqual(numbered(3));
  });

  it.each([0, 4, 0.5])('refuses a count of %s of 3', (count) => {
    expect(refusal(() => take(numbered(3), count)).hint).toBe('use an integer from 1 to 3');
  });
});
