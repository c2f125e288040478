/** The tables of the documents, computed from the committed results. */
import { format, resolveConfig } from 'prettier';
import type { Comparison } from '../cifar10/comparison.ts';
import { netNames as cifar10Nets } from '../cifar10/experiment.ts';
import { average, type NetRun } from '../cli/results.ts';
import { type NetName, netNames } from '../../../src/networks.ts';
import { published, type Results } from '../mnist/results.ts';

const measures = { valAccuracy: 'accuracy', valLoss: 'loss' };
type Column = keyof typeof measures;

/** A Markdown table of the first and the last epoch: mean and range over the seeds, and the results of Keras. */
export function mnistTable({ runs, epochs }: Results): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  const seeds = new Set(runs.map((run) => run.seed)).size;
  const row = (net: NetName, epoch: number, column: Column): string => {
    const { mean, range } = overSeeds(runs, net, column, epoch);
    const keras = published[net]?.find((entry) => entry.epoch === epoch)?.[column];
    return `| \`${net}\` | ${epoch} | ${measures[column]} | **${mean}** | ${range} | ${keras?.toFixed(3) ?? ''} |`;
  };
  return [
    `| network | epoch | validation | mean of ${seeds} seeds | range | Keras |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...nets.flatMap((net) => [
      row(net, 1, 'valAccuracy'),
      row(net, epochs, 'valAccuracy'),
      row(net, epochs, 'valLoss'),
    ]),
  ].join('\n');
}

/** A Markdown table of the results on CIFAR-10, and those of PyTorch: with the same start, and with its own. */
export function cifar10Table({ gammabeta, pytorchSameStart, pytorch }: Comparison): string {
  const { runs, epochs } = gammabeta;
  const seeds = new Set(runs.map((run) => run.seed)).size;
  const row = (net: string, epoch: number, column: Column): string => {
    const [ours, same, own] = [gammabeta, pytorchSameStart, pytorch].map((side) =>
      overSeeds<string>(side.runs, net, column, epoch),
    );
    return (
      `| \`${net}\` | ${epoch} | ${measures[column]} | **${ours.mean}** | ${ours.range} ` +
      `| ${same.mean} | ${own.mean} |`
    );
  };
  return [
    `| network | epoch | test | mean of ${seeds} seeds | range | PyTorch, same weights and order | PyTorch, its own |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...cifar10Nets.flatMap((net) => [
      row(net, 1, 'valAccuracy'),
      row(net, epochs, 'valAccuracy'),
      row(net, epochs, 'valLoss'),
    ]),
  ].join('\n');
}

function overSeeds<Name extends string>(
  runs: readonly NetRun<Name>[],
  net: Name,
  column: Column,
  epoch: number,
): { mean: string; range: string } {
  const values = runs.filter((run) => run.net === net).map((run) => run.history[column][epoch - 1]);
  return {
    mean: average(values).toFixed(3),
    range: `${Math.min(...values).toFixed(3)} … ${Math.max(...values).toFixed(3)}`,
  };
}

/** Whether the text contains the block. */
export function hasBlock(text: string, name: string): boolean {
  return text.includes(`<!-- ${name} -->`);
}

/** The Markdown text with the content between `<!-- name -->` and `<!-- /name -->` replaced, formatted by prettier. */
export async function quoted(text: string, name: string, content: string): Promise<string> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`quoted: the text has no block ${begin} … ${end}`);
  const whole = `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
  return format(whole, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' });
}
