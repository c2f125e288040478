import { describe, expect, it } from 'vitest';
import { checkClassLabels, checkDataset, type Dataset } from '../../src/data/dataset.ts';
import { DataLoader } from '../../src/data/loader.ts';
import { tensor } from '../../src/tensor/create.ts';
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
    expect(refused({ shape })).toContain(`shape is not an array: `);
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
    expect(refused({ labels: [1, 2, 3, 4] })).toBe('labels is not a typed array of numbers: an Array of 4');
    expect(refused({ x: new BigInt64Array(24) })).toBe(
      'x is not a typed array of numbers: a BigInt64Array of 24',
    );
    expect(refused({ x: new DataView(new ArrayBuffer(24)) })).toContain('numbers: a DataView');
    expect(refused({ x: undefined })).toBe('x is not a typed array of numbers: undefined');
  });

  it('refuses other things than datasets, with hints that work', () => {
    const hintOf = (data: unknown) => refusal(() => checkDataset('fit', data as Dataset));
    for (const data of [undefined, null, 3, 'data', [], {}, new Float32Array(2), { labels: [1] }]) {
      expect(hintOf(data)).toMatchObject({
        problem: expect.stringMatching(/^this is not a dataset: /) as string,
        hint: 'pass { x, shape, labels }, or dataset(rows, labels)',
      });
    }
    expect(hintOf(new DataLoader(good, { batchSize: 1 }))).toMatchObject({
      problem: 'this is not a dataset: a DataLoader',
      hint: 'pass loader.dataset',
    });
    const hints = (change: object) => hintOf({ ...good, ...change }).hint;
    expect(hints({ x: [[1, 2]] })).toBe('dataset(rows, labels) makes a dataset from arrays');
    expect(hints({ labels: new BigInt64Array(4) })).toBe('convert it: Int32Array.from(labels, Number)');
    expect(Int32Array.from(BigInt64Array.of(3n), Number)).toEqual(Int32Array.of(3));
    expect(hints({ x: new ArrayBuffer(4) })).toBe('convert it: new Uint8Array(x)');
    expect(hints({ x: tensor([1]) })).toContain('await t.data()');
    expect(hints({ mean: '0.5' })).toContain('leave it out');
  });

  it('takes one mean and one deviation for each value of an example', () => {
    const [mean, deviation] = [Array<number>(6).fill(0), Array<number>(6).fill(1)];
    expect(checkDataset('fit', { ...good, mean, deviation })).toBe(4);
    expect(refused({ mean: [0, 0] })).toBe('mean has 2 numbers, but an example of shape [2, 3] has 6 values');
    expect(refused({ deviation: [1, 1, 1, 1, 1, 0] })).toBe('deviation[5] is not a positive number: 0');
  });

  it('accepts any other property', () => {
    expect(checkDataset('fit', { ...good, classes: ['a', 'b'] } as Dataset)).toBe(4);
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
