/** The pictures of the results: accuracy and loss by epoch. */
import { init } from 'echarts/dist/echarts.esm.min.mjs';
import type { Comparison } from '../cifar10/comparison.ts';
import { netNames as cifar10Nets } from '../cifar10/experiment.ts';
import { mean } from '../cli/results.ts';
import { type NetName, netNames } from '../../../src/networks.ts';
import { published, type Results } from '../mnist/results.ts';
import { renamed } from '../report/svg.ts';

/** Blue, vermilion and green of Okabe & Ito, which are distinct for colour-blind readers. */
const colours: Record<NetName, string> = { plain: '#0072b2', bn: '#d55e00', 'bn-pre': '#009e73' };

type Column = 'valAccuracy' | 'valLoss';

interface Panel {
  readonly column: Column;
  readonly title: string;
  readonly range: { readonly min: number; readonly max: number; readonly interval: number };
}

interface Series {
  readonly name: string;
  readonly color: string;
  readonly [option: string]: unknown;
  readonly data: readonly (readonly [epoch: number, value: number])[];
}

const mnistPanels: readonly Panel[] = [
  { column: 'valAccuracy', title: 'validation accuracy', range: { min: 0.76, max: 0.96, interval: 0.04 } },
  { column: 'valLoss', title: 'validation loss', range: { min: 0, max: 1, interval: 0.2 } },
];

/** The picture as SVG. */
export function mnistChart({ runs, epochs }: Results): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  return chartOf(mnistPanels, epochs, (column) => [
    ...nets.map((net) => ({
      type: 'line',
      name: net,
      color: colours[net],
      symbolSize: 5,
      data: points(epochs, (epoch) => mean(runs, net, column, epoch)),
    })),
    {
      type: 'scatter',
      name: "Keras' published figures",
      color: '#555555',
      symbol: 'diamond',
      symbolSize: 12,
      data: nets.flatMap((net) =>
        (published[net] ?? []).flatMap((row) => {
          const value = row[column];
          return value === undefined ? [] : [[row.epoch, value] as const];
        }),
      ),
    },
  ]);
}

const cifar10Panels: readonly Panel[] = [
  { column: 'valAccuracy', title: 'test accuracy', range: { min: 0.34, max: 0.44, interval: 0.02 } },
  { column: 'valLoss', title: 'test loss', range: { min: 1.6, max: 1.9, interval: 0.05 } },
];

/** The picture as SVG. */
export function cifar10Chart({ gammabeta, pytorchSameStart }: Comparison): string {
  const sides = [
    { name: (net: string) => net, results: gammabeta, style: { symbolSize: 5 } },
    {
      name: (net: string) => `${net}, PyTorch`,
      results: pytorchSameStart,
      style: { symbol: 'diamond', symbolSize: 9, lineStyle: { type: 'dashed', width: 1 } },
    },
  ];
  const { epochs } = gammabeta;
  return chartOf(cifar10Panels, epochs, (column) =>
    sides.flatMap(({ name, results, style }) =>
      cifar10Nets.map((net) => ({
        type: 'line',
        name: name(net),
        color: colours[net],
        ...style,
        data: points(epochs, (epoch) => mean(results.runs, net, column, epoch)),
      })),
    ),
  );
}

function points(epochs: number, value: (epoch: number) => number): [number, number][] {
  return Array.from({ length: epochs }, (_, i) => [i + 1, value(i + 1)]);
}

/** Two panels side by side. */
function chartOf(
  panels: readonly Panel[],
  epochs: number,
  series: (column: Column) => readonly Series[],
): string {
  const lefts = [60, 510];
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 920, height: 400 });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    legend: { bottom: 6, itemGap: 28, data: series('valAccuracy').map(({ name }) => name) },
    title: panels.map(({ title }, panel) => ({
      text: title,
      left: lefts[panel] - 20,
      top: 8,
      textStyle: { fontSize: 15 },
    })),
    grid: panels.map((_, panel) => ({ left: lefts[panel], width: 380, top: 48, bottom: 84 })),
    xAxis: panels.map((_, gridIndex) => ({
      gridIndex,
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 26,
      min: 1,
      max: epochs,
      interval: 1,
    })),
    yAxis: panels.map(({ range }, gridIndex) => ({ gridIndex, ...range })),
    series: panels.flatMap(({ column }, panel) =>
      series(column).map((each) => ({ xAxisIndex: panel, yAxisIndex: panel, ...each })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${renamed(svg, 'zr0')}\n`;
}
