import { DataError } from './errors.ts';
import { isNumericArray, kindOf, type NumericArray } from './numeric-array.ts';

/**
 * Examples with their labels, all in memory: n examples of one shape, and n labels.
 *
 * A dataset is any object of this form; nothing has to be constructed. Bytes may stay bytes: they become
 * (x / divisor − mean) / deviation when a batch is made, at a quarter of the memory of floats.
 *
 * @example
 * ```ts
 * import { DataLoader, type Dataset } from 'gammabeta';
 *
 * const xor: Dataset = {
 *   x: new Uint8Array([0, 0, 0, 1, 1, 0, 1, 1]),
 *   shape: [2],
 *   labels: new Uint8Array([0, 1, 1, 0]),
 * };
 * console.log(new DataLoader(xor, { batchSize: 4 }).length); // 1
 * ```
 */
export interface Dataset {
  /** The values of all examples, one example after the other: n · (product of `shape`) numbers. */
  readonly x: NumericArray;
  /** The shape of ONE example: `[784]`, `[3, 32, 32]`; `[]` where an example is one number. */
  readonly shape: readonly number[];
  /** One number per example: class indices 0, 1, 2, … in an integer array, or targets of a regression. */
  readonly labels: NumericArray;
  /** Each value of x is divided by this when a batch is made, e.g. 255 for bytes. Default 1. */
  readonly divisor?: number;
  /** What is then subtracted: with 0.5, and a deviation of 0.5, bytes become numbers from −1 to 1. Default 0. */
  readonly mean?: number;
  /** What that is then divided by. Default 1. */
  readonly deviation?: number;
}

/** The number of values in one example: the product of its shape, 1 for `[]`. */
export function exampleSize(dataset: Dataset): number {
  return dataset.shape.reduce((size, extent) => size * extent, 1);
}

/**
 * Throws {@link DataError} where the parts of a dataset do not fit each other; returns the number of its
 * examples, at least 1.
 *
 * What the labels mean is not looked at, for they may be targets of a regression: {@link checkClassLabels}.
 *
 * @param op the name that the message begins with
 */
export function checkDataset(op: string, dataset: Dataset): number {
  const { x, shape, labels, divisor = 1, mean = 0, deviation = 1 } = dataset;
  checkArray(op, 'x', x);
  checkArray(op, 'labels', labels);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent > 0)) {
    throw new DataError(
      op,
      `the shape of an example has extents that are not positive integers: [${shape.join(', ')}]`,
      'give the shape of one example, such as [784] or [28, 28]',
    );
  }
  if (!(divisor > 0 && divisor < Infinity)) {
    throw new DataError(
      op,
      `divisor is not a positive number: ${divisor}`,
      'use 255 for bytes, or leave it out',
    );
  }
  if (!(deviation > 0 && deviation < Infinity)) {
    throw new DataError(
      op,
      `deviation is not a positive number: ${deviation}`,
      'use the standard deviation of x / divisor, or leave it out',
    );
  }
  if (!Number.isFinite(mean)) {
    throw new DataError(
      op,
      `mean is not a finite number: ${mean}`,
      'use the mean of x / divisor, or leave it out',
    );
  }
  const size = exampleSize(dataset);
  const count = x.length / size;
  if (!Number.isInteger(count)) {
    throw new DataError(
      op,
      `x does not hold whole examples: ${x.length} values, ${size} for each example of shape [${shape.join(', ')}]`,
      'shape is that of one example, without the number of examples',
    );
  }
  if (labels.length !== count) {
    throw new DataError(
      op,
      `the numbers of labels and examples differ: ${labels.length} labels, ${count} examples`,
      'give one label for each example',
    );
  }
  if (count === 0) throw new DataError(op, 'the dataset is empty: 0 examples', 'give at least one example');
  return count;
}

/**
 * Throws {@link DataError} where a label is not an integer in 0 … classes − 1, naming the first that is not.
 *
 * @param op the name that the message begins with
 * @param classes the number of classes; left out, any integer from 0 will do
 */
export function checkClassLabels(op: string, labels: NumericArray, classes?: number): void {
  const limit = classes ?? Infinity;
  const index = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < limit));
  if (index < 0) return;
  throw new DataError(
    op,
    `label ${index} of ${labels.length} is not a class: ${labels[index]}`,
    `labels are integers from 0${limit === Infinity ? '' : ` to ${limit - 1}`}`,
  );
}

/**
 * The first `count` examples, and the rest: for a validation set. Order is kept, so shuffle what is sorted by
 * class first. Nothing is copied: both parts are views of the same memory.
 *
 * @param count an integer, 0 < count < n
 * @returns `[first, rest]`, of count and n − count examples
 * @throws {DataError} if count is no such integer, or the parts of the dataset do not fit each other
 * @example
 * ```ts
 * import { split } from 'gammabeta';
 *
 * const data = { x: new Float32Array([1, 2, 3, 4]), shape: [1], labels: new Uint8Array([0, 1, 0, 1]) };
 * const [train, validation] = split(data, 3);
 * console.log(train.x); // Float32Array(3) [ 1, 2, 3 ]
 * console.log(validation.labels); // Uint8Array(1) [ 1 ]
 * ```
 */
export function split(dataset: Dataset, count: number): [first: Dataset, rest: Dataset] {
  const n = checkDataset('split', dataset);
  if (n === 1) throw new DataError('split', 'one example cannot be split', 'give at least two examples');
  checkCount('split', count, n - 1, n);
  return [range(dataset, 0, count), range(dataset, count, n)];
}

/**
 * The first `count` examples: for a quick run. Nothing is copied.
 *
 * @param count an integer, 0 < count ≤ n
 * @throws {DataError} if count is no such integer, or the parts of the dataset do not fit each other
 * @example
 * ```ts
 * import { take } from 'gammabeta';
 *
 * const data = { x: new Float32Array([1, 2, 3, 4]), shape: [2], labels: new Uint8Array([7, 8]) };
 * console.log(take(data, 1).x); // Float32Array(2) [ 1, 2 ]
 * console.log(take(data, 1).labels); // Uint8Array(1) [ 7 ]
 * ```
 */
export function take(dataset: Dataset, count: number): Dataset {
  const n = checkDataset('take', dataset);
  checkCount('take', count, n, n);
  return range(dataset, 0, count);
}

/** Examples begin … end − 1, as views. */
function range(dataset: Dataset, begin: number, end: number): Dataset {
  const size = exampleSize(dataset);
  return {
    ...dataset,
    x: dataset.x.subarray(begin * size, end * size),
    labels: dataset.labels.subarray(begin, end),
  };
}

function checkCount(op: string, count: number, largest: number, n: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= largest) return;
  throw new DataError(
    op,
    `count does not fit a dataset of ${n} examples: ${count}`,
    `use an integer from 1 to ${largest}`,
  );
}

/** The types say so already; this is for JavaScript, where a plain array is the usual mistake. */
function checkArray(op: string, name: string, array: NumericArray): void {
  if (isNumericArray(array)) return;
  throw new DataError(
    op,
    `${name} is not a typed array of numbers: ${kindOf(array)}`,
    `convert it, for example with Float32Array.from(${name})`,
  );
}
