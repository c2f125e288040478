import type { NumericArray } from '../../kernels/kernel.ts';
import { DataError } from './data-error.ts';

/**
 * Examples with their labels, all in memory: n examples of one shape, and n labels, or n targets of one shape.
 *
 * A dataset is any object of this form; nothing has to be constructed. Images can stay bytes, at a quarter of the
 * memory of floats: each batch is converted to (x / divisor − mean) / deviation when it is made.
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
  /** The shape of ONE example: `[784]`, `[3, 32, 32]`; `[]` if an example is one number. */
  readonly shape: readonly number[];
  /**
   * One number per example: class indices 0, 1, 2, … in an integer array, or the targets of a regression. With
   * `targetShape`, the targets of all examples, one after the other: n · (product of `targetShape`) numbers.
   */
  readonly labels: NumericArray;
  /** The shape of the target of ONE example: `[2]` for two numbers. Default `[]`, one number. */
  readonly targetShape?: readonly number[];
  /** When a batch is made, each value of x is divided by this, for example by 255 for bytes. Default 1. */
  readonly divisor?: number;
  /** Subtracted after that division: with 0.5, and a deviation of 0.5, bytes become numbers from −1 to 1. Default 0. */
  readonly mean?: number;
  /** The difference is divided by this. Default 1. */
  readonly deviation?: number;
}

/** The number of values in one example: the product of its shape, 1 for `[]`. */
export function exampleSize({ shape }: Dataset): number {
  return product(shape);
}

/** The number of labels of one example: the product of `targetShape`, 1 by default. */
export function targetSize({ targetShape = [] }: Dataset): number {
  return product(targetShape);
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/**
 * Checks that the parts of a dataset fit each other. The meaning of the labels is not checked, since they may be
 * targets of a regression; {@link checkClassLabels} checks class indices.
 *
 * @param op the name that the error message begins with
 * @returns the number of examples, at least 1
 * @throws {DataError} if the parts do not fit each other
 */
export function checkDataset(op: string, dataset: Dataset): number {
  const { x, shape, labels, targetShape = [], divisor = 1, mean = 0, deviation = 1 } = dataset;
  checkArray(op, 'x', x);
  checkArray(op, 'labels', labels);
  checkShape(op, 'shape', shape, 'an example', '[784] or [28, 28]');
  checkShape(op, 'targetShape', targetShape, 'a target', '[2], or leave it out for one number per example');
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
  const each = targetSize(dataset);
  if (labels.length !== count * each) {
    const targets = each === 1 ? '' : `, with targets of shape [${targetShape.join(', ')}]`;
    throw new DataError(
      op,
      `the numbers of labels and examples differ: ${labels.length} labels, ${count} examples${targets}`,
      each === 1
        ? 'give one label for each example, or targetShape for targets of several numbers'
        : `give ${each} labels for each example`,
    );
  }
  if (count === 0) throw new DataError(op, 'the dataset is empty: 0 examples', 'give at least one example');
  return count;
}

/**
 * Checks that all labels are class indices: integers in 0 … classes − 1.
 *
 * @param op the name that the error message begins with
 * @param classes the number of classes; if left out, there is no upper limit
 * @throws {DataError} for the first label that is not a class index
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
 * Splits a dataset into the first `count` examples and the rest, for example to get a validation set. The order is
 * kept, so shuffle examples that are sorted by class first. Both parts are views: they share the dataset's memory.
 *
 * @param count an integer, 0 < count < n
 * @returns `[first, rest]`, of count and n − count examples
 * @throws {DataError} if count is out of range, or the parts of the dataset do not fit each other
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
 * The first `count` examples, for example for a quick run. They are a view: they share the dataset's memory.
 *
 * @param count an integer, 0 < count ≤ n
 * @throws {DataError} if count is out of range, or the parts of the dataset do not fit each other
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
  const [size, each] = [exampleSize(dataset), targetSize(dataset)];
  return {
    ...dataset,
    x: dataset.x.subarray(begin * size, end * size),
    labels: dataset.labels.subarray(begin * each, end * each),
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

function checkShape(op: string, name: string, shape: unknown, of: string, example: string): void {
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && Number(extent) > 0;
  if (Array.isArray(shape) && shape.every(isExtent)) return;
  const problem = Array.isArray(shape)
    ? `the shape of ${of} has extents that are not positive integers: [${shape.join(', ')}]`
    : `${name} is not an array: ${String(shape)}`;
  throw new DataError(op, problem, `give the shape of ${of}, such as ${example}`);
}

/** JavaScript programs often pass plain arrays, which the types cannot prevent there. */
function checkArray(op: string, name: string, array: unknown): void {
  // 'Uint8Array' for a Buffer, and for arrays of other realms too.
  const kind = Object.prototype.toString.call(array).slice('[object '.length, -1);
  if (/^(?:(?:Int|Uint)(?:8|16|32)|Uint8Clamped|Float(?:32|64))Array$/.test(kind)) return;
  throw new DataError(
    op,
    `${name} is not a typed array of numbers: ${kind}`,
    `convert it, for example with Float32Array.from(${name})`,
  );
}
