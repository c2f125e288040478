/** Helpers of the claims: selecting and comparing outcomes, and drawing them. */
import { average } from '../cli/results.ts';
import type { BarSeries, Colour, LineSeries } from '../report/model.ts';
import type { Effort, Outcome, Run, Setting } from './claim.ts';
import type { Norm } from './nets.ts';
import { estimate } from './statistics.ts';

/** The outcomes of the runs whose settings have these values, sorted by seed. */
export function outcomesOf<S extends Setting, O extends Outcome>(
  runs: readonly Run<S, O>[],
  where: Partial<S>,
): O[] {
  const wanted = Object.entries(where);
  const found = runs
    .filter(({ setting }) => wanted.every(([key, value]) => setting[key] === value))
    .sort((a, b) => a.setting.seed - b.setting.seed);
  if (found.length === 0) throw new RangeError(`outcomesOf: no run with ${JSON.stringify(where)}`);
  return found.map(({ outcome }) => outcome);
}

/** The distinct values of one setting over the runs, in the order of the runs. */
export function valuesOf<S extends Setting, K extends keyof S>(
  runs: readonly Run<S, Outcome>[],
  key: K,
): S[K][] {
  return [...new Set(runs.map(({ setting }) => setting[key]))];
}

/** a − b, seed by seed. */
export function differences(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i]);
}

/** a / b, seed by seed. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / b[i]);
}

/** The name and colour of a line or of bars. */
export interface Label {
  readonly name: string;
  readonly colour: Colour;
}

/** The labels of the networks, the same in every chart. */
export const labels: Readonly<Record<Norm, Label>> = {
  none: { name: 'without', colour: 'plain' },
  before: { name: 'with batch normalization', colour: 'bn' },
  after: { name: 'with it after the activation', colour: 'other' },
};

/** A line through the means over the seeds, with a band of their confidence intervals; `values` is [x][seed]. */
export function meanLine(
  label: Label,
  xs: readonly number[],
  values: readonly (readonly number[])[],
): LineSeries {
  const estimates = values.map(estimate);
  return {
    ...label,
    points: xs.map((x, i) => [x, estimates[i].mean]),
    band: xs.map((x, i) => [x, ...estimates[i].interval]),
  };
}

/** |other − loss| / loss, step by step. */
export function changes(losses: readonly number[], others: readonly number[]): number[] {
  return losses.map((loss, step) => Math.abs(others[step] - loss) / loss);
}

/** Changes below this are drawn as this one: a logarithmic axis has no 0. */
const SMALLEST = 1e-8;

/** The mean change by step, for a logarithmic axis; `values` is [seed][step]. */
export function changeLine(label: Label, values: readonly (readonly number[])[]): LineSeries {
  const steps = values[0].map((_, step) => step + 1);
  const shown = values.map((all) => all.map((value) => Math.max(value, SMALLEST)));
  return { ...label, points: meanLine(label, steps, transposed(shown)).points };
}

/** Bars for the means over the seeds, with their confidence intervals; `values` is [category][seed]. */
export function meanBars(label: Label, values: readonly (readonly number[])[]): BarSeries {
  const estimates = values.map(estimate);
  return {
    ...label,
    values: estimates.map(({ mean }) => mean),
    intervals: estimates.map(({ interval }) => interval),
  };
}

/** [seed][x] → [x][seed]. */
export function transposed(rows: readonly (readonly number[])[]): number[][] {
  return rows[0].map((_, i) => rows.map((row) => row[i]));
}

/** The key whose values have the highest mean. */
export function best<K>(means: ReadonlyMap<K, readonly number[]>): K {
  const [[first]] = [...means].sort(([, a], [, b]) => average(b) - average(a));
  return first;
}

/** Seeds 1 … 5, or 1 … 10. */
export function seedsOf(effort: Effort): number[] {
  return Array.from({ length: effort === 'quick' ? 5 : 10 }, (_, i) => i + 1);
}

/** Every combination of the values: `{ norm: ['none', 'before'], seed: [1, 2] }` gives four settings. */
export function combinations<S extends Setting>(values: { readonly [K in keyof S]: readonly S[K][] }): S[] {
  const keys = Object.keys(values) as (keyof S)[];
  return keys.reduce<Partial<S>[]>(
    (partial, key) =>
      partial.flatMap((setting) => values[key].map((value) => ({ ...setting, [key]: value }))),
    [{}],
  ) as S[];
}
