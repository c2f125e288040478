import type { NumericArray } from '../../kernels/kernel.ts';
import { expectBoolean, expectInteger, expectOptions } from '../tensor/errors.ts';
import { streams } from '../tensor/random.ts';
import { DataError } from './data-error.ts';
import { copyRows } from './arrays.ts';
import { checkAttached, checkDataset, type Dataset, exampleSize, targetSize } from './dataset.ts';
import { type Scaler, scalerOf } from './scale.ts';
import { expectUint32, identity, permutation } from './shuffle.ts';

/** Some examples with their labels. The arrays belong to the batch alone, so it can be kept. */
export interface Batch {
  /** The values, float32: (x / divisor − mean) / deviation of the dataset's. */
  readonly x: Float32Array;
  /** The shape of x: `[n, ...shape of one example]`. */
  readonly shape: readonly number[];
  /**
   * The n labels, in the same kind of array as those of the dataset; n · (product of `targetShape`) numbers if the
   * dataset has one.
   */
  readonly labels: NumericArray;
  /** The shape of the target of one example, if the dataset has one. */
  readonly targetShape?: readonly number[];
}

export interface DataLoaderOptions {
  /** The number of examples in a batch, an integer ≥ 1. */
  readonly batchSize: number;
  /** Whether each epoch has a new random order. Default false: the order of the dataset. */
  readonly shuffle?: boolean;
  /** The seed of the orders, an integer in 0 … 2⁵³ − 1. Default: drawn from the stream that `manualSeed` seeds. */
  readonly seed?: number;
  /** Whether to leave out the last batch if it is shorter than the others. Default false. */
  readonly dropLast?: boolean;
}

/**
 * Iterates over a dataset in batches, with `for` or `for await`. Each loop over the loader is one epoch and visits
 * each example once.
 *
 * The order of epoch e is `permutation(n, seed, e)`: it depends on the seed and the number of the epoch only. Two
 * loaders with one seed give the same batches, and `loader.epoch = 5` resumes a training run at its sixth epoch.
 *
 * In training, BatchNorm throws for a batch of one example, since a single value has no variance. If the last batch
 * may be one example, use `dropLast`.
 *
 * @throws {ValueError} if batchSize is not an integer ≥ 1, seed is not an integer in 0 … 2⁵³ − 1, shuffle or dropLast is
 *   not true or false; for unknown options
 * @throws {DataError} if the parts of the dataset do not fit each other, or `dropLast` leaves no batch
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
  /** The seed of the orders; 0 if the loader does not shuffle and none was given. */
  readonly seed: number;
  readonly dropLast: boolean;
  readonly #count: number;
  #epoch = 0;

  constructor(dataset: Dataset, options: DataLoaderOptions) {
    expectOptions('DataLoader', options, ['batchSize', 'shuffle', 'seed', 'dropLast']);
    const { batchSize, shuffle = false, dropLast = false } = options;
    const count = checkDataset('DataLoader', dataset);
    expectInteger('DataLoader', 'batchSize', batchSize, 1);
    expectBoolean('DataLoader', 'shuffle', shuffle);
    expectBoolean('DataLoader', 'dropLast', dropLast);
    if (dropLast && batchSize > count) {
      throw new DataError(
        'DataLoader',
        `dropLast leaves no batch: batchSize ${batchSize}, ${count} examples`,
        `use a batchSize of at most ${count}, or leave dropLast out`,
      );
    }
    // A loader that does not shuffle draws no seed, so it does not change the seeds of those that do.
    const { seed = shuffle ? streams.shuffling.uint32() : 0 } = options;
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = expectInteger('DataLoader', 'seed', seed, 0);
    this.dropLast = dropLast;
    this.#count = count;
  }

  static {
    // Vue wraps objects in proxies, which have no private fields. It leaves objects with this property as they are.
    Object.defineProperty(this.prototype, '__v_skip', { value: true });
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'DataLoader' }); // for error messages
  }

  /** The number of batches in an epoch. */
  get length(): number {
    const batches = this.#count / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * The number of epochs that were started, which is the index of the next one: 0 for a new loader. Save it in a
   * checkpoint and set it to resume. An epoch that `break` ended counts.
   */
  get epoch(): number {
    return this.#epoch;
  }

  set epoch(epoch: number) {
    this.#epoch = expectUint32('DataLoader', 'epoch', epoch);
  }

  /** Starts an epoch. */
  [Symbol.iterator](): Generator<Batch, undefined> {
    return this.#begin(false);
  }

  /** Starts an epoch, with the same batches as the synchronous iterator. */
  [Symbol.asyncIterator](): AsyncIterator<Batch, undefined> {
    const batches = this[Symbol.iterator]();
    return {
      next: () => Promise.resolve(batches.next()),
      return: () => Promise.resolve(batches.return(undefined)),
    };
  }

  /**
   * @internal An epoch whose batches are not kept: each batch overwrites x of the one before, because allocating
   * memory takes longer than filling it. A subclass with an iterator of its own is iterated by that.
   */
  passing(): Iterable<Batch> | AsyncIterable<Batch> {
    return this.#hasOwnIterator ? this : this.#begin(true);
  }

  /** @internal The batches that `passing()` would return, without starting an epoch: `epoch` does not change. */
  peek(): Iterable<Batch> | AsyncIterable<Batch> {
    return this.#hasOwnIterator ? this.#peekOwn() : this.#batches(this.#order(), true);
  }

  /** Whether a subclass, or this object, has another iterator. */
  get #hasOwnIterator(): boolean {
    const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = DataLoader.prototype;
    return this[Symbol.iterator] !== sync || this[Symbol.asyncIterator] !== async;
  }

  /**
   * `peek` for a subclass with an iterator of its own, which starts an epoch by calling that of this class. The epoch
   * is put back after each synchronous step: another loop over this loader may start an epoch between two of them.
   */
  async *#peekOwn(): AsyncGenerator<Batch, undefined> {
    const keepingEpoch = <T>(step: () => T): T => {
      const epoch = this.#epoch;
      try {
        return step();
      } finally {
        this.#epoch = epoch;
      }
    };
    const batches = keepingEpoch(() => this[Symbol.asyncIterator]());
    const next = () => keepingEpoch(() => batches.next());
    try {
      for (let step = await next(); step.done !== true; step = await next()) yield step.value;
    } finally {
      await batches.return?.();
    }
  }

  #begin(passing: boolean): Generator<Batch, undefined> {
    const order = this.#order();
    this.#epoch++;
    return this.#batches(order, passing);
  }

  /** The order of the next epoch. */
  #order(): Uint32Array {
    return this.shuffle ? permutation(this.#count, this.seed, this.#epoch) : identity(this.#count);
  }

  *#batches(order: Uint32Array, passing: boolean): Generator<Batch, undefined> {
    const scale = scalerOf(this.dataset);
    const size = exampleSize(this.dataset);
    let room = new Float32Array(0);
    for (let k = 0, n = this.length; k < n; k++) {
      const rows = order.subarray(k * this.batchSize, (k + 1) * this.batchSize);
      const length = rows.length * size;
      checkAttached('DataLoader', this.dataset);
      if (!passing || room.length < length) room = new Float32Array(length);
      yield gather(this.dataset, rows, scale, room.subarray(0, length));
    }
  }
}

/** The examples with the given indices. Fills x with x[r] = scale(data[rows[r]]). */
function gather(dataset: Dataset, rows: Uint32Array, scale: Scaler, x: Float32Array): Batch {
  const { x: data, targetShape } = dataset;
  const [size, each] = [exampleSize(dataset), targetSize(dataset)];
  for (let r = 0; r < rows.length; r++) {
    scale(data, rows[r] * size, x, r * size, size);
  }
  const labels = copyRows(dataset.labels, rows, each);
  return { x, shape: [rows.length, ...dataset.shape], labels, ...(targetShape && { targetShape }) };
}
