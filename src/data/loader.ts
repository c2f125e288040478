import { checkDataset, exampleSize, type Dataset } from './dataset.ts';
import { DataError } from './errors.ts';
import { zerosLike, type NumericArray } from './numeric-array.ts';
import { checkOptions } from './options.ts';
import { nextSeed } from './seed-source.ts';
import { checkEpoch, checkSeed, identity, permutation } from './shuffle.ts';

/** Some examples with their labels, in arrays of their own: a batch may be kept. */
export interface Batch {
  /** The values, float32: (x / divisor − mean) / deviation of the dataset's. */
  readonly x: Float32Array;
  /** The shape of x: `[n, ...shape of one example]`. */
  readonly shape: readonly number[];
  /** The n labels, in the kind of array that the dataset has them in. */
  readonly labels: NumericArray;
}

export interface DataLoaderOptions {
  /** The number of examples in a batch, an integer ≥ 1. */
  readonly batchSize: number;
  /** A new order in each epoch. Default false: the order of the dataset. */
  readonly shuffle?: boolean;
  /** Says which orders, an integer in 0 … 2⁵³ − 1. Default: drawn from the stream that `manualSeed` sets. */
  readonly seed?: number;
  /** Leave out the last batch where it is shorter than the others. Default false. */
  readonly dropLast?: boolean;
}

/**
 * Goes through a dataset in batches, each example once; with `for` or with `for await`, as you like.
 *
 * Each loop over the loader is an epoch. The order of epoch e is `permutation(n, seed, e)`: a function of the
 * seed and the number of the epoch, and of nothing else. So two loaders of one seed give the same batches, and
 * a training run that is resumed with `loader.epoch = 5` goes on as if it had never stopped.
 *
 * A last batch of one example makes BatchNorm throw in training (a single value has no variance): `dropLast`.
 *
 * @throws {DataError} if batchSize is not an integer ≥ 1, or leaves no batch at all under `dropLast`; if seed
 *   is not an integer in 0 … 2⁵³ − 1; for unknown options; if the parts of the dataset do not fit each other
 * @example
 * ```ts
 * import { DataLoader } from 'gammabeta';
 *
 * const data = { x: new Uint8Array([0, 51, 102, 153, 204]), shape: [1], labels: new Uint8Array(5), divisor: 51 };
 * const inOrder = new DataLoader(data, { batchSize: 2 });
 * console.log([...inOrder].map((batch) => batch.x.join(' '))); // [ '0 1', '2 3', '4' ]
 *
 * const loader = new DataLoader(data, { batchSize: 5, shuffle: true, seed: 1 });
 * const order = () => [...loader].map((batch) => batch.x.join(' '));
 * console.log(order(), loader.epoch); // [ '1 0 3 2 4' ] 1
 * console.log(order(), loader.epoch); // [ '4 0 2 1 3' ] 2
 * loader.epoch = 0;
 * console.log(order(), loader.epoch); // [ '1 0 3 2 4' ] 1
 * ```
 */
export class DataLoader implements AsyncIterable<Batch>, Iterable<Batch> {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** What the orders are made of; 0 where a loader that does not shuffle was given none. */
  readonly seed: number;
  readonly dropLast: boolean;
  readonly #count: number;
  #epoch = 0;

  constructor(dataset: Dataset, options: DataLoaderOptions) {
    checkOptions('DataLoader', options, ['batchSize', 'shuffle', 'seed', 'dropLast']);
    const { batchSize, shuffle = false, dropLast = false } = options;
    const count = checkDataset('DataLoader', dataset);
    checkBatchSize(batchSize, dropLast, count);
    // Only a loader that shuffles draws a seed: others must not move the stream of those that do.
    const { seed = shuffle ? nextSeed() : 0 } = options;
    checkSeed('DataLoader', seed);
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    this.#count = count;
  }

  /** The number of batches in an epoch. */
  get length(): number {
    const batches = this.#count / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * How many epochs were begun, which is the number of the next one: 0 for a new loader. Save it in a
   * checkpoint; set it to resume. An epoch left by `break` counts.
   */
  get epoch(): number {
    return this.#epoch;
  }

  set epoch(epoch: number) {
    checkEpoch('DataLoader', epoch);
    this.#epoch = epoch;
  }

  /** Begins an epoch. */
  [Symbol.iterator](): Generator<Batch, undefined> {
    return this.#begin(false);
  }

  /** Begins an epoch. The batches are those of the other iterator. */
  [Symbol.asyncIterator](): AsyncIterator<Batch, undefined> {
    const batches = this[Symbol.iterator]();
    return {
      next: () => Promise.resolve(batches.next()),
      return: () => Promise.resolve(batches.return(undefined)),
    };
  }

  /**
   * @internal An epoch of batches that nobody keeps: x is overwritten by the next batch. New memory for each takes
   * longer than to fill it. A subclass that iterates in its own way does so here too.
   */
  passing(): Iterable<Batch> | AsyncIterable<Batch> {
    const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = DataLoader.prototype;
    if (this[Symbol.iterator] !== sync || this[Symbol.asyncIterator] !== async) return this;
    return this.#begin(true);
  }

  #begin(passing: boolean): Generator<Batch, undefined> {
    const order = this.shuffle ? permutation(this.#count, this.seed, this.#epoch) : identity(this.#count);
    this.#epoch++;
    return this.#batches(order, passing);
  }

  *#batches(order: Uint32Array, passing: boolean): Generator<Batch, undefined> {
    const { x } = this.dataset;
    const ofByte = x instanceof Uint8Array ? Float32Array.from(everyByte, scaling(this.dataset)) : null;
    const size = exampleSize(this.dataset);
    let room = new Float32Array(0);
    for (let k = 0, n = this.length; k < n; k++) {
      const rows = order.subarray(k * this.batchSize, (k + 1) * this.batchSize);
      const length = rows.length * size;
      if (!passing || room.length < length) room = new Float32Array(length);
      yield gather(this.dataset, rows, ofByte, room.subarray(0, length));
    }
  }
}

const everyByte = identity(256);

/** (value / divisor − mean) / deviation, in float64; to be rounded to float32 once. */
function scaling({ divisor = 1, mean = 0, deviation = 1 }: Dataset): (value: number) => number {
  return (value) => (value / divisor - mean) / deviation;
}

/** Whether {@link scaling} leaves every value what it is. */
function isPlain({ divisor = 1, mean = 0, deviation = 1 }: Dataset): boolean {
  return divisor === 1 && mean === 0 && deviation === 1;
}

/** x[r,i] = (data[rows[r],i] / divisor − mean) / deviation, and labels[r] = labels[rows[r]]; x is filled. */
function gather(dataset: Dataset, rows: Uint32Array, ofByte: Float32Array | null, x: Float32Array): Batch {
  const { x: data } = dataset;
  const plain = isPlain(dataset);
  const scaled = scaling(dataset);
  const size = exampleSize(dataset);
  const labels = zerosLike(dataset.labels, rows.length);
  for (let r = 0; r < rows.length; r++) {
    const from = data.subarray(rows[r] * size, (rows[r] + 1) * size);
    const to = x.subarray(r * size, (r + 1) * size); // faster than an index with an offset
    // Copying what stays what it is is fastest; then looking it up; dividing is slowest.
    if (plain) to.set(from);
    else if (ofByte !== null) for (let i = 0; i < size; i++) to[i] = ofByte[from[i]];
    else for (let i = 0; i < size; i++) to[i] = scaled(from[i]);
    labels[r] = dataset.labels[rows[r]];
  }
  return { x, shape: [rows.length, ...dataset.shape], labels };
}

function checkBatchSize(batchSize: number, dropLast: boolean, count: number): void {
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw new DataError(
      'DataLoader',
      `batchSize is not a positive integer: ${batchSize}`,
      'use an integer from 1, such as 32',
    );
  }
  if (dropLast && batchSize > count) {
    throw new DataError(
      'DataLoader',
      `dropLast leaves no batch: batchSize ${batchSize}, ${count} examples`,
      `use a batchSize of at most ${count}, or leave dropLast out`,
    );
  }
}
