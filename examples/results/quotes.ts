/** What the README says of the results, computed from the committed files. */
import { format, resolveConfig } from 'prettier';
import { type NetName, netNames } from '../mnist/nets.ts';
import { published } from '../mnist/published.ts';
import type { Results } from '../mnist/results.ts';

/** A Markdown table: the first and the last epoch, mean and range over the seeds, next to Keras' figures. */
export function mnistTable({ runs, epochs }: Results): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  const seeds = new Set(runs.map((run) => run.seed)).size;
  const row = (net: NetName, epoch: number, column: 'valAccuracy' | 'valLoss'): string => {
    const values = runs.filter((run) => run.net === net).map((run) => run.history[column][epoch - 1]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const keras = published[net]?.find((entry) => entry.epoch === epoch)?.[column];
    const range = `${Math.min(...values).toFixed(3)} … ${Math.max(...values).toFixed(3)}`;
    const measure = column === 'valAccuracy' ? 'accuracy' : 'loss';
    return `| \`${net}\` | ${epoch} | ${measure} | **${mean.toFixed(3)}** | ${range} | ${keras?.toFixed(3) ?? ''} |`;
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

/** The Markdown text with what stands between `<!-- name -->` and `<!-- /name -->` replaced, and formatted. */
export async function quoted(text: string, name: string, content: string): Promise<string> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no block ${begin} … ${end} in the text`);
  const whole = `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
  return format(whole, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' });
}
