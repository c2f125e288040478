/** The report of a comparison, and the tables that it prints. */
import { digits, milliseconds } from '../format.ts';
import { type Machine, machineText } from '../machine.ts';
import type { Summary } from '../statistics.ts';
import { tableOf } from '../tables.ts';
import type { ContenderName } from './contenders.ts';
import type { ExperimentRun } from './experiment.ts';
import type { Participating } from './place.ts';

export interface Timing {
  readonly workload: string;
  readonly contender: ContenderName;
  /** The contender whose results were the reference for the check; null if there was only one contender. */
  readonly checkedAgainst: ContenderName | null;
  /** The number of iterations in a block. */
  readonly iterations: number;
  /** The seconds of one iteration, round by round. */
  readonly seconds: readonly number[];
  readonly time: Summary;
  /** Its seconds divided by gammabeta's, round by round, and their summary. */
  readonly ratios: readonly number[] | null;
  readonly ratio: Summary | null;
}

/** What `--json` writes. */
export interface PeersReport {
  readonly benchmark: 'gammabeta peers';
  readonly date: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly machine: Machine;
  /** The browser, if the contenders ran in a page. */
  readonly browser?: string;
  readonly nodeFlags: readonly string[];
  readonly contenders: readonly Participating[];
  readonly timings: readonly Timing[];
  readonly experiment: readonly ExperimentRun[];
  /** Messages about contenders that are missing, failed, or computed something else. */
  readonly problems: readonly string[];
}

/** The machine, the browser, and each contender with its version, backend and number of threads. */
export function header({
  machine,
  browser,
  contenders,
}: Pick<PeersReport, 'machine' | 'browser' | 'contenders'>): string {
  return [
    `machine    ${machineText(machine)}`,
    ...(browser === undefined ? [] : [`browser    ${browser}`]),
    ...contenders.map(
      ({ name, version, backend, threads }) =>
        `${name.padEnd(10)} ${version}, ${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    ),
  ].join('\n');
}

export function timingTable(timings: readonly Timing[], rounds: number): string {
  const table = tableOf(
    ['workload', 'library', 'ms', 'middle half', '÷ gammabeta', 'middle half'],
    timings.map(({ workload, contender, time, ratio }, i) => [
      timings[i - 1]?.workload === workload ? '' : workload,
      contender,
      milliseconds(time.median),
      time.quartiles.map(milliseconds).join(' … '),
      ratio === null ? '–' : digits(ratio.median),
      ratio === null ? '–' : ratio.quartiles.map(digits).join(' … '),
    ]),
    2,
  );
  const key = `ms and ÷ gammabeta (its time divided by gammabeta's of the same round) are medians of ${rounds} rounds.`;
  return `${table}\n${key}`;
}

export function experimentTable(runs: readonly ExperimentRun[]): string {
  const last = (column: readonly number[] | undefined) => column?.at(-1)?.toFixed(4) ?? '–';
  const table = tableOf(
    ['MNIST', 'library', 's', 'middle half', '÷ gammabeta', 's in all', 'acc.', 'val. acc.', 'val. loss'],
    runs.map(({ net, contender, perEpoch, totalSeconds, ratio, history }) => [
      net,
      contender,
      digits(perEpoch.median),
      perEpoch.quartiles.map(digits).join(' … '),
      ratio === null ? '–' : digits(ratio.median),
      digits(totalSeconds),
      last(history.accuracy),
      last(history.valAccuracy),
      last(history.valLoss),
    ]),
    2,
  );
  const key =
    's and ÷ gammabeta are medians over the epochs, with validation; the rest is after the last epoch.';
  return `${table}\n${key}`;
}
