/** What a comparison prints and writes. */
import { digits, milliseconds } from '../format.ts';
import { type Machine, machineText } from '../machine.ts';
import type { Summary } from '../statistics.ts';
import { tableOf } from '../tables.ts';
import type { ContenderName } from './contenders.ts';
import type { ExperimentRun } from './experiment.ts';
import type { Contender } from './session.ts';

export interface Timing {
  readonly workload: string;
  readonly contender: ContenderName;
  /** Whose results it was checked against, its own where the others were checked against it; null where it was alone. */
  readonly checkedAgainst: ContenderName | null;
  /** In each round's block. */
  readonly iterations: number;
  /** Of one iteration, round by round. */
  readonly seconds: readonly number[];
  readonly time: Summary;
  /** Its seconds by gammabeta's, round by round, and their middle. */
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
  readonly nodeFlags: readonly string[];
  readonly contenders: readonly Omit<Contender, 'launch'>[];
  readonly timings: readonly Timing[];
  readonly experiment: readonly ExperimentRun[];
  /** Who is missing, failed, or was refused; and why. */
  readonly problems: readonly string[];
}

/** The machine, and each contender: its version, on what it computes, and on how many threads. */
export function header({ machine, contenders }: Pick<PeersReport, 'machine' | 'contenders'>): string {
  return [
    `machine    ${machineText(machine)}`,
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
  const key = `ms and ÷ gammabeta (its time by gammabeta's in the same round): the median of ${rounds} rounds.`;
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
  return `${table}\ns and ÷ gammabeta: the median of the epochs, with validation; accuracies and loss: after the last.`;
}
