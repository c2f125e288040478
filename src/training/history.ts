/**
 * The results of `fit`, like Keras' `History`: one array per column, one value per epoch. The columns are `loss`,
 * `accuracy`, `valLoss`, `valAccuracy` and `seconds`, and the same two for each metric of your own (such as `f1`
 * and `valF1`).
 *
 * `loss` and the metrics are means over the epoch's batches, computed in training mode while the parameters change.
 * The `val…` columns are computed after the epoch, in evaluation mode.
 */
export interface History {
  readonly loss: number[];
  readonly seconds: number[];
  readonly [column: string]: number[];
}

/** The results of one epoch: `{ loss, accuracy, valLoss, valAccuracy, seconds }`. */
export type Results = Readonly<Record<string, number>>;

/** The name of a validation column: `accuracy` → `valAccuracy`. */
export function validationColumn(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Adds an epoch's results to the columns. */
export function append(history: Record<string, number[]>, results: Results): void {
  for (const [column, value] of Object.entries(results)) (history[column] ??= []).push(value);
}

/** The mean of each result over all examples: the mean of the batch results, weighted by batch size. */
export class RunningMeans {
  private readonly sums = new Map<string, number>();
  private examples = 0;

  add(results: Results, examples: number): void {
    this.examples += examples;
    for (const [name, value] of Object.entries(results)) {
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * examples);
    }
  }

  get means(): Results {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.examples]));
  }
}
