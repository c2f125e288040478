/** What the benchmark of threads measures, and the block of README.md that quotes it. */
import { digits, milliseconds, percent } from './format.ts';
import type { Machine } from './machine.ts';
import { markdownTable, notMeasured, type Result, source } from './results.ts';
import type { Summary } from './statistics.ts';
import type { Limits } from './thread-limits.ts';
import type { ThreadTiming } from './thread-timing.ts';

/** What `--json` writes. */
export interface ThreadsReport {
  readonly benchmark: 'gammabeta threads';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** The device, with the build of the kernels. */
  readonly backend: string;
  /** The numbers of threads. */
  readonly counts: readonly number[];
  /** What the machine allows; null in a page. */
  readonly limits: Limits | null;
  readonly results: readonly Timed[];
}

/** A workload with one thread and with others. */
export interface Timed {
  readonly name: string;
  readonly goal: number;
  readonly timings: readonly ThreadTiming[];
  /** The share of the time of one thread in kernels that are divided among the most threads; null in a page. */
  readonly divided: number | null;
  /** The speed-up that the machine allows divided kernels, measured in turns with the workload; null in a page. */
  readonly allowed: Summary | null;
  /** The speed-up that both allow the workload; null in a page. */
  readonly most: number | null;
}

/** Amdahl's law: the speed-up of the whole if a share s of the time becomes n times as fast. */
export const atMost = (s: number, n: number): number => 1 / (1 - s + s / n);

/** The limits of the machine, and a row for each workload. */
export function threads(reports: readonly Result<ThreadsReport>[]): string {
  if (reports.length === 0) return notMeasured('threads 2 --json bench/results/threads.json');
  return reports
    .map((report) => [source(report), ...limits(report), timings(report)].join('\n\n'))
    .join('\n\n');
}

function limits({ limits: measured, counts }: ThreadsReport): string[] {
  if (measured === null) return [];
  const { latency, products, norms, weights, sums, reading, interruptions } = measured;
  const own = `${Math.max(...counts)} threads,`;
  const rows = [
    ['fork and join', `${latency.toFixed(2)} µs`],
    [`${own} a product of its own each`, `${speedUp(products)} times as fast as one`],
    [`${own} a batch normalization of its own each`, `${speedUp(norms)} times as fast as one`],
    ['2 threads, the first layer of a step at batch 32', `${speedUp(weights)} times as fast as one`],
    [`${own} sums of arrays of 16 MB`, `${speedUp(sums)} times as fast as one`],
    ['reading what the own core has written', `${digits(reading.own)} GB/s`],
    ['reading what another core has written', `${digits(reading.others)} GB/s`],
    ['1 thread, time that something else takes', percent(100 * interruptions.one)],
    [`${own} time that something else takes`, percent(100 * interruptions.all)],
  ];
  return [markdownTable(['limit', 'measured'], rows)];
}

function timings({ results, counts }: ThreadsReport): string {
  const head = [
    'workload',
    '1 thread, ms',
    ...counts.flatMap((n) => [`${n}, ms`, 'faster']),
    'divided',
    'limit',
    'at most',
  ];
  const rows = results.map(({ name, timings: [one, ...others], divided, allowed, most }) => [
    name,
    milliseconds(one.milliseconds / 1000),
    ...others.flatMap((timing) => [milliseconds(timing.milliseconds / 1000), speedUp(timing.speedup)]),
    divided === null ? '–' : percent(100 * divided),
    allowed === null ? '–' : digits(allowed.median),
    most === null ? '–' : digits(most),
  ]);
  return markdownTable(head, rows);
}

function speedUp({ median, quartiles }: Summary): string {
  return `**${digits(median)}** (${quartiles.map(digits).join(' … ')})`;
}
