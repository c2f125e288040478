import { DataError } from './data-error.ts';
import { checkDataset, type Dataset, exampleSize } from './dataset.ts';
import { expectFinite } from './finite.ts';

/** The mean and the deviation of each value of an example. They are plain arrays, so JSON keeps them. */
export interface ColumnStatistics {
  readonly mean: readonly number[];
  /** The standard deviation; 1 where it is 0. */
  readonly deviation: readonly number[];
}

/** A dataset whose batches are normalized column by column. */
export interface NormalizedDataset extends Dataset, ColumnStatistics {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * Normalizes each column, that is, each value of an example over all examples: (x − mean) / deviation, as
 * scikit-learn's `StandardScaler`. The deviation divides by n. A column whose values are all equal gets deviation 1, so
 * it becomes 0.
 *
 * The values in memory do not change: the result is a dataset with arrays `mean` and `deviation`, which {@link
 * DataLoader} applies to each batch. They are the statistics of x / divisor, computed in float64.
 *
 * Use the statistics of the training data for all other data: pass them, or the normalized training data, as `like`. For
 * new rows without labels: `predict(model, { ...train, x })`.
 *
 * @param like The statistics to use. By default, those of the dataset.
 * @returns The dataset with these statistics. It shares the memory of the given one.
 * @throws {DataError} x contains NaN or an infinity, or the parts of the dataset, or the statistics, do not fit.
 * @example
 * ```ts
 * import { DataLoader, dataset, normalize } from 'gammabeta';
 *
 * const train = normalize(dataset([[1, 100], [3, 300]], [0, 1]));
 * console.log(train.mean, train.deviation); // [ 2, 200 ] [ 1, 100 ]
 * const validation = normalize(dataset([[2, 400]], [1]), train);
 * console.log([...new DataLoader(validation, { batchSize: 1 })][0].x); // Float32Array(2) [ 0, 2 ]
 *
 * const saved = JSON.stringify({ mean: train.mean, deviation: train.deviation });
 * console.log(normalize(dataset([[2, 400]], [1]), JSON.parse(saved)).mean); // [ 2, 200 ]
 * ```
 */
export function normalize(dataset: Dataset, like?: ColumnStatistics): NormalizedDataset {
  const count = checkDataset('normalize', dataset);
  expectFinite('normalize', 'row', dataset.x, dataset.shape);
  const { mean, deviation } = like === undefined ? statistics(dataset, count) : given(like);
  const normalized = { ...dataset, mean: [...mean], deviation: [...deviation] };
  checkDataset('normalize', normalized);
  return normalized;
}

function given(like: unknown): ColumnStatistics {
  const { mean, deviation } = Object(like) as Partial<ColumnStatistics>;
  if (Array.isArray(mean) && Array.isArray(deviation)) return { mean, deviation };
  throw new DataError(
    'normalize',
    'like has no arrays mean and deviation',
    'pass normalized training data, or its { mean, deviation }',
  );
}

/** The mean and the deviation of x / divisor, of each column. */
function statistics(dataset: Dataset, n: number): ColumnStatistics {
  const { x, divisor = 1 } = dataset;
  const size = exampleSize(dataset);
  // d = x − (the first value of the column) loses no digits if the values are close, and is 0 in a constant column.
  const [sum, squares] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < size; j++) sum[j] += x[i * size + j] - x[j];
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < size; j++) squares[j] += (x[i * size + j] - x[j] - sum[j] / n) ** 2;
  }
  return {
    mean: Array.from(sum, (total, j) => (x[j] + total / n) / divisor),
    deviation: Array.from(squares, (total) => Math.sqrt(total / n) / divisor || 1),
  };
}
