/** Early stopping: ends training when a result has stopped improving. */
import type { Layer } from '../layers/layer.ts';
import type { StateDict } from '../layers/state-dict.ts';
import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  shown,
  ValueError,
} from '../tensor/errors.ts';
import type { Results } from './history.ts';

/**
 * As Keras' `EarlyStopping`. Epochs are compared within one call of `fit`: a run that continues from a checkpoint does not
 * know the results of the earlier run.
 */
export interface EarlyStopping {
  /** The column of the history to watch. Default `valLoss`, or `loss` without validation data. */
  readonly monitor?: string;
  /** The number of epochs in a row without improvement after which training ends, ≥ 0; 0 is as 1. Default 1. */
  readonly patience?: number;
  /** A change counts as an improvement if it is larger than this, ≥ 0. Default 0. */
  readonly minDelta?: number;
  /** Whether smaller or larger values are better. Default: larger for names that end in `accuracy`, else smaller. */
  readonly mode?: 'min' | 'max';
  /** Whether the model ends in the state of its best epoch instead of the last one. Default false. */
  readonly restoreBest?: boolean;
}

const optionNames = ['monitor', 'patience', 'minDelta', 'mode', 'restoreBest'];

/** The early stopping of one training run. */
export class Stopper {
  private readonly model: Layer;
  private readonly options: Required<EarlyStopping>;
  private best: number | null = null;
  private bestState: StateDict | null = null;
  private since = 0;

  /** @param columns The columns that are known before training. The data may add an accuracy: see `expectColumn`. */
  constructor(op: string, model: Layer, options: EarlyStopping, columns: readonly string[]) {
    expectOptions(`${op}: earlyStopping`, options, optionNames);
    const {
      monitor = columns.includes('valLoss') ? 'valLoss' : 'loss',
      patience = 1,
      minDelta = 0,
      restoreBest = false,
    } = options;
    const { mode = /accuracy$/i.test(monitor) ? 'max' : 'min' } = options;
    expectInteger(op, 'earlyStopping.patience', patience, 0);
    expectNumber(op, 'earlyStopping.minDelta', minDelta, { from: 0 });
    expectOneOf(op, 'earlyStopping.mode', mode, ['min', 'max']);
    expectBoolean(op, 'earlyStopping.restoreBest', restoreBest);
    this.model = model;
    this.options = { monitor, patience, minDelta, mode, restoreBest };
  }

  /** Whether the watched column is one of these. */
  watches(columns: readonly string[]): boolean {
    return columns.includes(this.options.monitor);
  }

  /** @throws {ValueError} The watched column is not one of these, which are all that the history has. */
  expectColumn(op: string, columns: readonly string[]): void {
    if (!this.watches(columns)) throw unknownColumn(op, this.options.monitor, columns);
  }

  /** Takes the results of an epoch. Returns whether training ends. */
  endsAfter(op: string, results: Results): boolean {
    const { monitor, patience, minDelta, mode, restoreBest } = this.options;
    this.expectColumn(op, Object.keys(results));
    const value = mode === 'min' ? results[monitor] : -results[monitor];
    const isBetter = this.best === null ? !Number.isNaN(value) : value < this.best - minDelta;
    this.since = isBetter ? 0 : this.since + 1;
    if (isBetter) {
      this.best = value;
      if (restoreBest) this.bestState = this.model.stateDict();
    }
    return this.since > 0 && this.since >= patience;
  }

  /** Puts the model in the state of its best epoch, if that was asked for. */
  restore(): void {
    if (this.bestState !== null && this.since > 0) this.model.loadStateDict(this.bestState);
  }
}

function unknownColumn(op: string, monitor: unknown, columns: readonly string[]): ValueError {
  const isOfValidation = typeof monitor === 'string' && /^val[A-Z]/.test(monitor);
  const first = isOfValidation && !columns.includes('valLoss') ? 'pass validation data, or ' : '';
  const hint = `${first}use a column of the history: ${columns.join(', ')}`;
  return new ValueError(op, `earlyStopping.monitor is ${shown(monitor)}`, hint);
}
