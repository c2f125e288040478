/** The tables that `npm run bench` prints. */
import Table from 'cli-table3';
import type { Ceilings } from './ceilings.ts';
import { digits, margin, milliseconds, percent } from './format.ts';
import type { FormName } from './forms.ts';
import type { OfCeiling, RatedTiming } from './kernel-timing.ts';
import type { ScalingTiming, Variable } from './scaling.ts';
import type { StepTiming } from './step-timing.ts';

export function ceilingTable(ceilings: readonly Ceilings[]): string {
  const both = ({ before, after }: Ceilings, rate: keyof Ceilings['before']) =>
    `${digits(before[rate])} … ${digits(after[rate])}`;
  return tableOf(
    ['ceiling, before … after', 'multiply-add, GFLOP/s', 'copy, GB/s', 'memory.copy, GB/s'],
    ceilings.map((each) => [
      each.form,
      both(each, 'multiplyAdd'),
      both(each, 'copyVectors'),
      both(each, 'copyMemory'),
    ]),
    1,
  );
}

/** One row for each kernel and form; – marks a form that the kernel does not have. */
export function kernelTable(timings: readonly RatedTiming[], forms: readonly FormName[]): string {
  const lineOf = ({ kernel, size }: RatedTiming) => `${kernel} ${size}`;
  const rows = [...new Set(timings.map(lineOf))].flatMap((line) => {
    const inForms = timings.filter((timing) => lineOf(timing) === line);
    const [{ kernel, size }] = inForms;
    return forms.map((form, i) => {
      const timing = inForms.find((each) => each.form === form);
      const cells = timing === undefined ? Array<string>(6).fill('–') : numbers(timing);
      return [...(i === 0 ? [kernel, size] : ['', '']), form, ...cells];
    });
  });
  return tableOf(['kernel', 'size', 'form', 'ms', 'GB/s', 'GFLOP/s', 'of ceiling', '× ref.', '±'], rows, 3);
}

function numbers(timing: RatedTiming): string[] {
  const { seconds, gigabytesPerSecond, gigaflops, ofCeiling, speedup, form } = timing;
  return [
    milliseconds(seconds),
    digits(gigabytesPerSecond),
    gigaflops === 0 ? '–' : digits(gigaflops),
    ofCeiling === null ? '–' : fractionOf(ofCeiling),
    speedup === null || form === 'reference' ? '–' : digits(speedup),
    margin(timing),
  ];
}

/** The percentage, and the ceiling that it refers to. */
export function fractionOf({ ceiling, fraction }: OfCeiling): string {
  return `${percent(100 * fraction)} ${ceiling === 'copy' ? 'copy' : 'madd'}`;
}

export function stepTable(timings: readonly StepTiming[]): string {
  return tableOf(
    ['step', 'batch', 'input', 'ms', '±', 'forward', 'backward', 'SGD'],
    timings.map(({ net, batch, inputs, seconds, parts, ...timing }) => [
      net,
      String(batch),
      inputs,
      milliseconds(seconds),
      margin(timing),
      ...[parts.forward, parts.backward, parts.update].map(milliseconds),
    ]),
    1,
  );
}

/** One table for each variable, with a row for each of its values and a column for each series. */
export function scalingTables(timings: readonly ScalingTiming[]): string {
  const variables = [...new Set(timings.map(({ over }) => over))];
  return variables.map((over) => scalingTable(timings, over)).join('\n');
}

function scalingTable(timings: readonly ScalingTiming[], over: Variable): string {
  const columns = timings.filter((timing) => timing.over === over);
  const [{ points, fit }] = columns;
  return tableOf(
    [over, ...columns.map(({ name }) => `${name}, ms`)],
    [
      ...points.map(({ value }, i) => [
        String(value),
        ...columns.map((timing) => milliseconds(timing.points[i].seconds)),
      ]),
      [
        `exponent, ${fit.from} … ${fit.to}`,
        ...columns.map((timing) => `${timing.fit.exponent.toFixed(2)} (R² ${timing.fit.r2.toFixed(3)})`),
      ],
    ],
    0,
  );
}

/** @param words How many of the first columns are text, aligned left; the others are numbers. */
export function tableOf(head: string[], rows: string[][], words: number): string {
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (column < words ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}
