/**
 * What `fit` measured, one entry per epoch, in columns as Keras has them: `loss`, `accuracy`, `valLoss`,
 * `valAccuracy`, `seconds`, and a column (and its `val…`) for each metric of your own.
 *
 * `loss` and the metrics are means over the epoch's batches, in training mode, while the parameters were
 * changing; the `val…` ones are measured after the epoch, in evaluation mode.
 */
export interface History {
  readonly loss: number[];
  readonly seconds: number[];
  readonly [column: string]: number[];
}

/** The same of one epoch: `{ loss, accuracy, valLoss, valAccuracy, seconds }`. */
export type Results = Readonly<Record<string, number>>;

/** `accuracy` → `valAccuracy`. */
export function validationColumn(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Adds an epoch's results to the columns. */
export function append(history: Record<string, number[]>, results: Results): void {
  for (const [column, value] of Object.entries(results)) (history[column] ??= []).push(value);
}

/** The mean of values per example, batch after batch; batches of another size weigh as many examples as they have. */
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
