import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOptions,
  shown,
  ValueError,
} from '../tensor/errors.ts';
import { streams } from '../tensor/random.ts';
import { copyRows } from './arrays.ts';
import { DataError } from './data-error.ts';
import { checkDataset, type Dataset, exampleSize, targetSize } from './dataset.ts';
import { permutation } from './shuffle.ts';

export interface SplitOptions {
  /** The share of the first part, in (0, 1): it has ⌊share · n⌋ of the n examples. */
  readonly share: number;
  /** Whether the examples are shuffled before they are split. Default true. */
  readonly shuffle?: boolean;
  /** Whether each class has the same share of both parts, up to rounding. Default false. */
  readonly stratify?: boolean;
  /** The seed of the shuffling, an integer in 0 … 2⁵³ − 1. Default: drawn from the stream that `manualSeed` seeds. */
  readonly seed?: number;
}

/**
 * Splits a dataset into two parts, for example to get a validation set.
 *
 * With a number: the first `count` examples, and the rest. The order is kept, so do not use it for examples that are
 * sorted by class. Both parts are views: they share the dataset's memory.
 *
 * With options, like scikit-learn's `train_test_split`: a random `share` of the examples, and the rest. Both parts are
 * copies, in random order, which depends on the seed only. With `shuffle: false`, the order is kept and both parts are
 * views.
 *
 * With `stratify`, the first part has ⌊share · m⌋ or ⌈share · m⌉ of the m examples of each class. Those with the largest
 * remainders are rounded up.
 *
 * @param count An integer, 0 < count < n.
 * @returns `[first, rest]`.
 * @throws {DataError} A part would be empty, a class has only one example, a part has fewer examples than there are
 *   classes, or the parts of the dataset do not fit each other.
 * @throws {ValueError} An option is out of range, is unknown, or has no effect without shuffling.
 * @example
 * ```ts
 * import { split } from 'gammabeta';
 *
 * const data = { x: new Float32Array([1, 2, 3, 4]), shape: [1], labels: new Uint8Array([0, 0, 1, 1]) };
 * console.log(split(data, 3)[0].x); // Float32Array(3) [ 1, 2, 3 ]
 *
 * const [train, validation] = split(data, { share: 0.5, stratify: true, seed: 1 });
 * console.log(train.labels, validation.labels); // Uint8Array(2) [ 0, 1 ] Uint8Array(2) [ 0, 1 ]
 * ```
 */
export function split(dataset: Dataset, count: number | SplitOptions): [first: Dataset, rest: Dataset] {
  const n = checkDataset('split', dataset);
  if (n === 1) throw new DataError('split', 'one example cannot be split', 'give at least two examples');
  if (typeof count === 'object') return splitBy(dataset, n, count);
  checkCount('split', count, n - 1, n, ', or { share: 0.8 }');
  return [range(dataset, 0, count), range(dataset, count, n)];
}

/**
 * The first `count` examples, for example for a quick run. They are a view: they share the dataset's memory.
 *
 * @param count An integer, 0 < count ≤ n.
 * @throws {DataError} `count` is out of range, or the parts of the dataset do not fit each other.
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

function splitBy(dataset: Dataset, n: number, options: SplitOptions): [first: Dataset, rest: Dataset] {
  expectOptions('split', options, ['share', 'shuffle', 'stratify', 'seed']);
  const { shuffle = true, stratify = false } = options;
  expectBoolean('split', 'shuffle', shuffle);
  expectBoolean('split', 'stratify', stratify);
  const count = countOf(options.share, n);
  if (!shuffle) {
    if (stratify) throw noShuffle('stratify: true');
    if (options.seed !== undefined) throw noShuffle('a seed');
    return [range(dataset, 0, count), range(dataset, count, n)];
  }
  const classes = stratify ? classesOf(dataset) : new Uint8Array(n); // one class without stratify
  const quota = quotas(classes, count, n);
  const { seed = streams.shuffling.uint32() } = options;
  const [first, rest]: [number[], number[]] = [[], []];
  for (const row of permutation(n, expectInteger('split', 'seed', seed, 0), 0)) {
    const left = quota.get(classes[row]) ?? 0;
    quota.set(classes[row], left - 1);
    (left > 0 ? first : rest).push(row);
  }
  return [pick(dataset, first), pick(dataset, rest)];
}

/** ⌊share · n⌋. The product of 0.29 and 100 is 28.999…: it is rounded to 12 digits first. */
function countOf(share: number, n: number): number {
  expectNumber('split', 'share', share, { above: 0, below: 1 });
  const count = Math.min(Math.floor(Number((share * n).toPrecision(12))), n - 1);
  if (count > 0) return count;
  throw new DataError(
    'split',
    `the first part is empty: a share of ${share} of ${n} examples`,
    `use a share of at least 1/${n}`,
  );
}

function noShuffle(option: string): ValueError {
  return new ValueError('split', `${option} with shuffle: false`, `leave out shuffle: false, or ${option}`);
}

/** The labels, which have to be one number per example. */
function classesOf(dataset: Dataset): ArrayLike<number> {
  if (targetSize(dataset) === 1) return dataset.labels;
  const { targetShape = [] } = dataset;
  throw new DataError(
    'split',
    `stratify needs one label for each example: targets of shape [${targetShape.join(', ')}]`,
    'leave stratify out',
  );
}

/**
 * How many of the `count` examples of the first part are of each class. These numbers are proportional to those of all
 * n examples, rounded to a sum of `count` (the method of largest remainders).
 */
function quotas(classes: ArrayLike<number>, count: number, n: number): Map<number, number> {
  const sizes = new Map<number, number>();
  for (let i = 0; i < n; i++) sizes.set(classes[i], (sizes.get(classes[i]) ?? 0) + 1);
  const single = [...sizes].find(([, size]) => size === 1);
  const smaller = Math.min(count, n - count);
  if (single !== undefined) {
    const hint = 'give each class at least two examples; for targets of a regression, leave stratify out';
    throw new DataError('split', `class ${single[0]} has only one example`, hint);
  }
  if (smaller < sizes.size) {
    const hint =
      'choose a share that gives each part at least one example of each class, or leave stratify out';
    throw new DataError('split', `a part has ${smaller} examples, for ${sizes.size} classes`, hint);
  }
  const exact = [...sizes].sort(([a], [b]) => a - b).map(([of, size]) => ({ of, share: (count * size) / n }));
  const quota = new Map(exact.map(({ of, share }) => [of, Math.floor(share)]));
  const left = count - [...quota.values()].reduce((sum, part) => sum + part, 0);
  const byRemainder = exact.toSorted((a, b) => (b.share % 1) - (a.share % 1));
  for (const { of, share } of byRemainder.slice(0, left)) quota.set(of, Math.floor(share) + 1);
  return quota;
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

/** The examples with the given indices, as copies. */
function pick(dataset: Dataset, rows: readonly number[]): Dataset {
  return {
    ...dataset,
    x: copyRows(dataset.x, rows, exampleSize(dataset)),
    labels: copyRows(dataset.labels, rows, targetSize(dataset)),
  };
}

function checkCount(op: string, count: number, largest: number, n: number, other = ''): void {
  if (Number.isInteger(count) && count >= 1 && count <= largest) return;
  throw new DataError(
    op,
    `count does not fit a dataset of ${n} examples: ${shown(count)}`,
    `use an integer from 1 to ${largest}${other}`,
  );
}
