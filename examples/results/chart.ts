/** The picture of the result: validation accuracy and loss, epoch by epoch. */
import * as echarts from 'echarts';
import { type NetName, netNames } from '../mnist/nets.ts';
import { published } from '../mnist/published.ts';
import type { Results } from '../mnist/results.ts';
import { mean } from '../mnist/summary.ts';

/** Blue, vermilion and green of Okabe & Ito, which colour-blind readers can tell apart. */
const colours: Record<NetName, string> = { plain: '#0072b2', bn: '#d55e00', 'bn-pre': '#009e73' };

const panels = [
  {
    column: 'valAccuracy',
    title: 'validation accuracy',
    left: 60,
    range: { min: 0.76, max: 0.96, interval: 0.04 },
  },
  { column: 'valLoss', title: 'validation loss', left: 510, range: { min: 0, max: 1, interval: 0.2 } },
] as const;

/** An SVG file's text. */
export function mnistChart({ runs, epochs }: Results): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 920, height: 400 });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    legend: { bottom: 6, itemGap: 28, data: [...nets, "Keras' published figures"] },
    title: panels.map(({ title, left }) => ({
      text: title,
      left: left - 20,
      top: 8,
      textStyle: { fontSize: 15 },
    })),
    grid: panels.map(({ left }) => ({ left, width: 380, top: 48, bottom: 84 })),
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
    series: panels.flatMap(({ column }, panel) => [
      ...nets.map((net) => ({
        ...placed(panel),
        type: 'line',
        name: net,
        color: colours[net],
        symbolSize: 5,
        data: Array.from({ length: epochs }, (_, i) => [i + 1, mean(runs, net, column, i + 1)]),
      })),
      {
        ...placed(panel),
        type: 'scatter',
        name: "Keras' published figures",
        color: '#555555',
        symbol: 'diamond',
        symbolSize: 12,
        data: nets.flatMap((net) =>
          (published[net] ?? []).flatMap((row) =>
            row[column] === undefined ? [] : [[row.epoch, row[column]]],
          ),
        ),
      },
    ]),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

function placed(panel: number): { xAxisIndex: number; yAxisIndex: number } {
  return { xAxisIndex: panel, yAxisIndex: panel };
}
