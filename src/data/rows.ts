import type { NumericArray } from '../../kernels/kernel.ts';
import { expectOptions, shown } from '../tensor/errors.ts';
import { isNumericArray, kindOf } from './arrays.ts';
import { DataError } from './data-error.ts';
import { checkDataset, type Dataset } from './dataset.ts';
import { type EntryName, expectFinite, MISSING, placeOf } from './finite.ts';

/** Numbers in arrays nested to any depth, of which the innermost ones may be typed arrays. */
export type Rows = NumericArray | readonly Row[];
export type Row = number | NumericArray | readonly Row[];

export interface RowsOptions {
  /** The shape of one example. Default: that of a row; `[1]` if the rows are numbers. */
  readonly shape?: readonly number[];
  /** The shape of the target of one example. Default: that of a label; `[]` if the labels are numbers. */
  readonly targetShape?: readonly number[];
}

/**
 * Makes a dataset from rows, such as those of a table, and their labels.
 *
 * Rows are arrays of numbers, all of one length, nested to any depth. They are copied to a Float64Array, or, if all are
 * typed arrays of one kind, to an array of that kind. A flat array holds the values of all examples, one example after
 * the other; `shape` is the shape of one.
 *
 * Labels are numbers: class indices become the smallest integer array that holds them, other numbers a Float32Array.
 * Nested labels are targets of several numbers; they become a Float32Array. Flat typed arrays are not copied.
 *
 * @throws {DataError} Rows have different lengths, a value is missing, not finite or not a number, or the numbers of
 *   rows and labels differ. The message names the row and the column.
 * @throws {ValueError} An option is unknown.
 * @example
 * ```ts
 * import { dataset } from 'gammabeta';
 *
 * const flowers = dataset([[5.1, 3.5], [6.2, 2.9], [7.7, 2.6]], [0, 1, 2]);
 * console.log(flowers.shape, flowers.labels); // [ 2 ] Uint8Array(3) [ 0, 1, 2 ]
 *
 * const line = dataset([1, 2], [[0.5, 1], [1.5, 2]]); // one column; targets of two numbers
 * console.log(line.shape, line.targetShape); // [ 1 ] [ 2 ]
 * ```
 */
export function dataset(rows: Rows, labels: Rows, options: RowsOptions = {}): Dataset {
  expectOptions('dataset', options, ['shape', 'targetShape']);
  const [x, y] = [read('row', rows), read('label', labels)];
  const { shape = x.inside.length === 0 ? [1] : x.inside, targetShape = y.inside } = options;
  if (x.inside.length === 0 && options.shape === undefined && x.count !== y.count) {
    const hint = 'if the rows are in one flat array, pass the shape of a row, such as { shape: [4] }';
    throw new DataError('dataset', `${x.count} rows of one number, ${y.count} labels`, hint);
  }
  const made: Dataset = {
    x: x.values,
    shape,
    labels: isNumericArray(labels) ? labels : compact(y),
    ...((options.targetShape !== undefined || y.inside.length > 0) && { targetShape }),
  };
  checkDataset('dataset', made);
  expectFinite('dataset', 'row', made.x, shape);
  expectFinite('dataset', 'label', made.labels, targetShape);
  return made;
}

/** The numbers of nested arrays, in order. */
interface Entries {
  readonly values: NumericArray;
  /** The number of entries along the first axis. */
  readonly count: number;
  /** The shape of one entry. */
  readonly inside: readonly number[];
}

function read(name: EntryName, data: unknown): Entries {
  if (isNumericArray(data)) return { values: data, count: data.length, inside: [] };
  if (!Array.isArray(data)) {
    const hint = `pass an array with one entry for each ${name === 'row' ? 'example' : 'row'}`;
    throw new DataError('dataset', `the ${name}s are not an array: ${shown(data)}`, hint);
  }
  const shape: number[] = [];
  for (let level: unknown = data; isList(level); level = level[0]) shape.push(level.length);
  const [count, ...inside] = shape;
  const kinds = new Set(data.map(kindOf));
  const [first] = data as unknown[];
  const like = kinds.size === 1 && isNumericArray(first) ? first : new Float64Array();
  const values = new globalThis[like[Symbol.toStringTag]](shape.reduce((size, extent) => size * extent, 1));
  let end = 0;
  const path: number[] = [];
  const visit = (part: unknown): void => {
    const depth = path.length;
    if (depth === shape.length && typeof part === 'number') {
      values[end++] = part;
    } else if (depth < shape.length && isList(part) && part.length === shape[depth]) {
      for (let i = 0; i < part.length; i++) {
        path[depth] = i;
        visit(part[i]);
        path.length = depth;
      }
    } else {
      throw unfit(name, path, part, shape.at(depth));
    }
  };
  visit(data);
  return { values, count, inside };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || isNumericArray(value);
}

/** The error for a value that is not a number, or an array of another length, at a place of the rows or labels. */
function unfit(
  name: EntryName,
  path: readonly number[],
  found: unknown,
  length: number | undefined,
): DataError {
  const expected = length === undefined ? 'a number' : `an array of ${length}`;
  const place = placeOf(name, path);
  if (isList(found)) {
    const problem = `${place} is an array of ${found.length}, where ${expected} is expected`;
    return new DataError('dataset', problem, `give all ${name}s the same shape`);
  }
  if (typeof found === 'number') {
    const problem = `${place} is the number ${found}, where ${expected} is expected`;
    return new DataError('dataset', problem, `give all ${name}s the same shape`);
  }
  return new DataError('dataset', `${place} is not ${expected}: ${shown(found)}`, hintFor(name, found));
}

function hintFor(name: EntryName, found: unknown): string {
  if (found === null || found === undefined || found === '') return MISSING;
  if (typeof found === 'object') {
    const columns = Object.keys(found).map((key) => `row[${JSON.stringify(key)}]`);
    return `make arrays of the columns, as in rows.map((row) => [${columns.join(', ')}])`;
  }
  if (typeof found !== 'symbol' && Number.isFinite(Number(found))) return 'convert it with Number';
  return name === 'label'
    ? 'number the classes: labels.map((label) => classes.indexOf(label)), where classes is the list of them'
    : 'leave out the column, or give each of its words a number';
}

/** Class indices in the smallest integer array that holds them; other numbers in a Float32Array. */
function compact({ values, inside }: Entries): NumericArray {
  const integers = inside.length === 0 ? [Uint8Array, Int8Array, Uint16Array, Int16Array, Int32Array] : [];
  for (const Integers of integers) {
    const array = Integers.from(values);
    if (array.every((label, i) => label === values[i])) return array;
  }
  return Float32Array.from(values);
}
