/** The section with γ and β during training. */
import { type Findings, netsIn } from './experiment.ts';
import type { Block, Colour, Figure, LineSeries, Section } from './model.ts';
import type { PathPoint } from './norm-paths.ts';
import { formatNumber } from './numbers.ts';

export function normPaths(findings: Findings): Section | null {
  const blocks = netsIn(findings).flatMap(({ net, colour }) =>
    (findings.insides.get(net)?.paths ?? []).map(({ place, gamma, beta }): Block => {
      const figures = [
        figureOf(`γ of ${net}, ${place}`, 'γ', gamma, colour),
        figureOf(`β of ${net}, ${place}`, 'β', beta, colour),
      ];
      return { kind: 'figures', figures };
    }),
  );
  if (blocks.length === 0) return null;
  return {
    heading: 'γ and β during training',
    text: [
      'Each unit of a batch normalization layer has its own γ and β, which start at 1 and 0. The solid line is their ' +
        'median, the dotted lines are the quartiles, and the band contains 90 % of the units.',
    ],
    blocks,
  };
}

function figureOf(title: string, name: string, path: readonly PathPoint[], colour: Colour): Figure {
  const line = (at: number) => path.map(({ batch, values }) => [batch, values[at]] as const);
  const quartile = (at: number, share: string): LineSeries => ({
    name: share,
    colour,
    style: 'dotted',
    points: line(at),
  });
  const [low, , median, , high] = path[path.length - 1].values.map(formatNumber);
  return {
    title,
    caption: `At the end the median is ${median}, and 90 % of the units lie between ${low} and ${high}.`,
    chart: {
      kind: 'lines',
      x: { name: 'batches trained on' },
      y: { name },
      series: [
        {
          name: 'median',
          colour,
          points: line(2),
          band: path.map(({ batch, values }) => [batch, values[0], values[4]] as const),
        },
        quartile(1, '25 %'),
        quartile(3, '75 %'),
      ],
    },
  };
}
