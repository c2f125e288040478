/** The results of training, by epoch, and their types. */
import type { BatchSource } from './batches.ts';

/** A value for each name. A name that ends with `?` may have none: `accuracy?` stands for `{ readonly accuracy?: T }`. */
export type Values<Name extends string, T> = Readonly<Record<Exclude<Name, `${string}?`>, T>> & {
  readonly [N in Name as N extends `${infer Optional}?` ? Optional : never]?: T;
};

/**
 * The results of `fit`, like Keras' `History`: one array per column, one value per epoch. The columns are `loss`,
 * `seconds`, and one for each metric, such as `accuracy`; with validation data also `valLoss` and one such as
 * `valAccuracy` for each metric.
 *
 * `loss` and the metrics are means over the epoch's batches, computed in training mode while the parameters change; for a
 * loss with `reduction: 'sum'`, `loss` is the sum.
 * The `val…` columns are computed after the epoch, in evaluation mode.
 */
export type History<Column extends string = string> = Readonly<Record<'loss' | 'seconds', number[]>> &
  Values<Column, number[]>;

/** The results of one epoch, or of `evaluate`: `{ loss, accuracy }` and so on. */
export type Results<Column extends string = string> = Readonly<Record<'loss', number>> &
  Values<Column, number>;

/** The columns of a history with the metrics `Name`, and with the validation data V; never for none. */
export type Columns<Name extends string, V extends BatchSource> =
  'loss' | 'seconds' | Name | ([V] extends [never] ? never : 'valLoss' | `val${Capitalize<Name>}`);

/** The name of a validation column: `accuracy` → `valAccuracy`. */
export function validationColumn(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Adds an epoch's results to the columns. */
export function append(history: Record<string, number[]>, results: Results): void {
  for (const [column, value] of Object.entries(results)) {
    if (!Object.hasOwn(history, column)) history[column] = [];
    history[column].push(value);
  }
}

/** The results of a batch: each is a mean, with what that mean divides by, or a sum. */
export type Measured = Readonly<Record<string, { readonly value: number; readonly count: number | 'sum' }>>;

/** The values of a batch. */
export function valuesOf(measured: Measured): Results {
  return Object.fromEntries(Object.entries(measured).map(([name, { value }]) => [name, value])) as Results;
}

/** The mean of each result over all batches, weighted by what counted in each batch; the total of sums. */
export class RunningMeans {
  private readonly sums = new Map<string, { sum: number; count: number }>();

  add(measured: Measured): void {
    for (const [name, { value, count }] of Object.entries(measured)) {
      const sums = this.sums.get(name) ?? { sum: 0, count: 0 };
      if (count === 'sum') {
        sums.sum += value;
        sums.count = 1;
      } else if (count > 0) {
        sums.sum += value * count;
        sums.count += count;
      }
      this.sums.set(name, sums);
    }
  }

  /** Whether nothing counted in the loss, since all labels are ignored or have weight 0. */
  get isEmpty(): boolean {
    return this.sums.get('loss')?.count === 0;
  }

  /** The means; 0 where nothing counted yet. */
  get means(): Results {
    const means = [...this.sums].map(([name, { sum, count }]) => [name, count > 0 ? sum / count : 0]);
    return Object.fromEntries(means) as Results;
  }
}
