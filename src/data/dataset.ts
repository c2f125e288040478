import type { NumericArray } from '../../kernels/kernel.ts';
import { isDetached, shown, TRANSFERRED } from '../tensor/errors.ts';
import { isNumericArray, kindOf } from './arrays.ts';
import { DataError } from './data-error.ts';

/**
 * Examples with their labels, all in memory: n examples of one shape, and n labels, or n targets of one shape.
 *
 * A dataset is any object of this form, with any other properties; {@link dataset} makes one from arrays. Images can
 * stay bytes, at a quarter of the memory of floats: each batch is converted to (x / divisor − mean) / deviation when it
 * is made.
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
  /**
   * Subtracted after that division: with 0.5, and a deviation of 0.5, bytes become numbers from −1 to 1. An array has
   * one number for each value of an example, as {@link normalize} computes them. Default 0.
   */
  readonly mean?: number | readonly number[];
  /** The difference is divided by this: by one number, or by one for each value of an example. Default 1. */
  readonly deviation?: number | readonly number[];
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
  checkObject(op, dataset);
  const { x, shape, labels, targetShape = [], divisor = 1, mean = 0, deviation = 1 } = dataset;
  checkArray(op, 'x', x);
  checkArray(op, 'labels', labels);
  checkShape(op, 'shape', shape, 'an example', '[784] or [28, 28]');
  checkShape(op, 'targetShape', targetShape, 'a target', '[2], or leave it out for one number per example');
  checkNumber(op, 'divisor', divisor, isPositive, 'a positive', 'use 255 for bytes, or leave it out');
  checkNumbers(op, 'mean', mean, dataset, Number.isFinite, 'a finite', 'mean');
  checkNumbers(op, 'deviation', deviation, dataset, isPositive, 'a positive', 'standard deviation');
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

/** Checks that the arrays of a dataset still have their values. */
export function checkAttached(op: string, { x, labels }: Dataset): void {
  for (const [name, array] of Object.entries({ x, labels })) {
    if (isDetached(array)) throw new DataError(op, `${name} is ${shown(array)}`, TRANSFERRED);
  }
}

// JavaScript programs pass other things too, which the types cannot prevent there.

function checkObject(op: string, dataset: unknown): void {
  if (typeof dataset === 'object' && dataset !== null && 'x' in dataset) return;
  const isLoader = typeof dataset === 'object' && dataset !== null && 'dataset' in dataset;
  throw new DataError(
    op,
    `this is not a dataset: ${isLoader ? 'a DataLoader' : shown(dataset)}`,
    isLoader ? 'pass loader.dataset' : 'pass { x, shape, labels }, or dataset(rows, labels)',
  );
}

function checkArray(op: string, name: string, array: unknown): void {
  if (isDetached(array)) throw new DataError(op, `${name} is ${shown(array)}`, TRANSFERRED);
  if (isNumericArray(array)) return;
  throw new DataError(
    op,
    `${name} is not a typed array of numbers: ${shown(array)}`,
    hintFor(name, kindOf(array)),
  );
}

function hintFor(name: string, kind: string): string {
  if (kind === 'Array') return 'dataset(rows, labels) makes a dataset from arrays';
  if (kind.startsWith('Big')) return `convert it: Int32Array.from(${name}, Number)`;
  if (kind.endsWith('ArrayBuffer')) return `convert it: new Uint8Array(${name})`;
  return 'pass an array such as Float32Array; that of a tensor t is await t.data()';
}

function checkShape(op: string, name: string, shape: unknown, of: string, example: string): void {
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && Number(extent) > 0;
  if (Array.isArray(shape) && Array.from(shape).every(isExtent)) return;
  const problem = Array.isArray(shape)
    ? `the shape of ${of} has extents that are not positive integers: [${shape.map(shown).join(', ')}]`
    : `${name} is not an array: ${shown(shape)}`;
  throw new DataError(op, problem, `give the shape of ${of}, such as ${example}`);
}

type Test = (value: unknown) => boolean;

const isPositive: Test = (value) => Number.isFinite(value) && Number(value) > 0;

function checkNumber(op: string, name: string, value: unknown, is: Test, kind: string, hint: string): void {
  if (!is(value)) throw new DataError(op, `${name} is not ${kind} number: ${shown(value)}`, hint);
}

/** Checks the mean or the deviation: one number, or one for each value of an example. */
function checkNumbers(
  op: string,
  name: string,
  value: unknown,
  dataset: Dataset,
  is: Test,
  kind: string,
  meaning: string,
): void {
  const hint = `use the ${meaning} of x / divisor, or leave it out`;
  if (!Array.isArray(value)) {
    checkNumber(op, name, value, is, kind, hint);
    return;
  }
  const size = exampleSize(dataset);
  if (value.length !== size) {
    const shape = `[${dataset.shape.join(', ')}]`;
    throw new DataError(
      op,
      `${name} has ${value.length} numbers, but an example of shape ${shape} has ${size} values`,
      'give one number for each value of an example, or one for all',
    );
  }
  value.forEach((number, i) => {
    checkNumber(op, `${name}[${i}]`, number, is, kind, hint);
  });
}
