/** The blocks of README.md that quote the comparison with peers. */
import { digits, milliseconds } from './format.ts';
import type { PeersReport } from './peers/peers-report.ts';
import { markdownTable, notMeasured, type Result, source } from './results.ts';
import type { Summary } from './statistics.ts';

const OURS = 'gammabeta';

/** The backend on which gammabeta ran. */
export function backendOf({ contenders }: PeersReport): string {
  return contenders.find(({ name }) => name === OURS)?.backend ?? '–';
}

/** For each report, the participants and their times divided by gammabeta's. */
export function peers(reports: readonly Result<PeersReport>[]): string {
  const those = reports.filter(({ timings }) => timings.length > 0);
  if (those.length === 0) return notMeasured('peers --json bench/results/peers.json');
  return those
    .map((report) => [source(report), participants(report), ratioTable(report)].join('\n\n'))
    .join('\n\n');
}

function participants({ contenders }: PeersReport): string {
  return contenders
    .map(({ name, version, backend, threads }) => {
      const on = threads === 1 ? '1 thread' : `${threads} threads`;
      return `- \`${name}\` ${version}, ${backend}, ${on}`;
    })
    .join('\n');
}

function ratioTable({ timings, contenders, rounds }: PeersReport): string {
  const others = contenders.map(({ name }) => name).filter((name) => name !== OURS);
  const workloads = [...new Set(timings.map(({ workload }) => workload))];
  const rows = workloads.map((workload) => {
    const of = (name: string) =>
      timings.find((timing) => timing.workload === workload && timing.contender === name);
    const ours = of(OURS);
    return [
      workload,
      ours === undefined ? '–' : milliseconds(ours.time.median),
      ...others.map((name) => ratioCell(of(name)?.ratio)),
    ];
  });
  const head = ['workload', `\`${OURS}\`, ms`, ...others.map((name) => `\`${name}\` ÷`)];
  return `${markdownTable(head, rows)}\n\nMedians of ${rounds} rounds.`;
}

function ratioCell(ratio: Summary | null | undefined): string {
  if (!ratio) return '–';
  return `**${digits(ratio.median)}** (${ratio.quartiles.map(digits).join(' … ')})`;
}

/** The times of the experiment of `npm run mnist`. */
export function experiment(reports: readonly Result<PeersReport>[]): string {
  const those = reports.filter((report) => report.experiment.length > 0);
  const command = 'peers --filter experiment --experiment --data DIR --json bench/results/experiment.json';
  if (those.length === 0) return notMeasured(command);
  return those.map((report) => `${source(report)}\n\n${experimentTable(report)}`).join('\n\n');
}

function experimentTable({ experiment: runs }: PeersReport): string {
  return markdownTable(
    ['network', 'library', 's per epoch', '÷ gammabeta', 'validation accuracy', 'validation loss'],
    runs.map(({ net, contender, perEpoch, ratio, history }) => [
      `\`${net}\``,
      contender,
      digits(perEpoch.median),
      ratioCell(ratio),
      ...[history.valAccuracy, history.valLoss].map((column) => column.at(-1)?.toFixed(3) ?? '–'),
    ]),
  );
}
