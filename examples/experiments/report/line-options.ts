/** A line chart as options of echarts. */
import type { CustomSeriesRenderItem } from 'echarts';
import { headOf, heightBelow, nameBelow, type Option, valueAxis } from './chart-frame.ts';
import type { Paint } from './colours.ts';
import { FONT, WIDTH } from './layout.ts';
import type { LineChart, LineSeries } from './model.ts';
import { formatNumber } from './numbers.ts';
import { textWidth } from './text-width.ts';
import { fitting, linearScale, logScale } from './ticks.ts';

const PLOT = 190;
/** Lines with at most this many points show a mark at each point. */
const MARKED = 15;

export interface Picture {
  readonly option: Option;
  readonly height: number;
}

export function linePicture(chart: LineChart, paint: Paint, heading: string | null): Picture {
  const head = headOf(chart, chart.y.name, paint, heading);
  const xs = chart.series.flatMap(({ points, band = [] }) => [...points, ...band].map(([x]) => x));
  const ys = chart.series.flatMap(({ points, band = [] }) => [
    ...points.map(([, y]) => y),
    ...band.flatMap(([, low, high]) => [low, high]),
  ]);
  const scaleOf = (axis: LineChart['x']) => (axis.scale === 'log' ? logScale : linearScale);
  const y = scaleOf(chart.y)(ys, { min: chart.y.min, max: chart.y.max, count: 5, round: true });
  const widthOf = (tick: number) => textWidth(formatNumber(tick), FONT - 1);
  const width = (ticks: readonly number[]) => Math.max(...ticks.map(widthOf));
  const left = Math.ceil(width(y.ticks)) + 12;
  const { min, max } = chart.x;
  const x = fitting((count) => scaleOf(chart.x)(xs, { min, max, count, round: false }), {
    most: 10,
    room: WIDTH - left,
    width: widthOf,
  });
  const below = heightBelow(chart.x.name);
  return {
    height: head.height + PLOT + below,
    option: {
      ...head.options,
      grid: {
        left,
        right: Math.ceil(Math.max(12, width(x.ticks) / 2 + 2)),
        top: head.height,
        height: PLOT,
        ...exactly,
      },
      xAxis: { ...valueAxis(chart.x, x, paint), ...nameBelow(chart.x.name, paint) },
      yAxis: {
        ...valueAxis(chart.y, y, paint),
        splitLine: { show: true, lineStyle: { color: paint.rule } },
      },
      series: [
        ...chart.series.flatMap((series) => bandsOf(series, paint[series.colour])),
        ...chart.series.map((series) => lineOf(series, paint[series.colour])),
      ],
    },
  };
}

/** Turns off echarts' own margins: without a browser, it measures text as too narrow. */
export const exactly: Option = { outerBoundsMode: 'none' };

function lineOf({ name, style = 'solid', points }: LineSeries, color: string): Option {
  const data = points.map(([x, y]) => [x, Number.isFinite(y) ? y : null]);
  const common = { name, color, data, silent: true, emphasis: { disabled: true } };
  if (style === 'points')
    return { ...common, type: 'scatter', symbol: 'diamond', symbolSize: 11, itemStyle: { opacity: 1 } };
  return {
    ...common,
    type: 'line',
    symbol: points.length <= MARKED ? 'circle' : 'none',
    symbolSize: 5,
    itemStyle: { color },
    lineStyle: { color, width: 2, type: { solid: 'solid', dashed: [7, 4], dotted: [2, 3] }[style] },
  };
}

/** One area for each part of the band without a gap. */
function bandsOf({ band = [] }: LineSeries, color: string): Option[] {
  const stretches: (readonly [number, number, number])[][] = [[]];
  for (const each of band) {
    if (each.every(Number.isFinite)) stretches[stretches.length - 1].push(each);
    else stretches.push([]);
  }
  return stretches
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => {
      const renderItem: CustomSeriesRenderItem = ({ dataIndex }, api) => {
        if (dataIndex > 0) return null; // the first item is the whole area
        const up = stretch.map(([x, , high]) => api.coord([x, high]));
        const back = stretch.map(([x, low]) => api.coord([x, low])).reverse();
        return {
          type: 'polygon',
          shape: { points: [...up, ...back] },
          style: { fill: color, opacity: 0.2 },
          silent: true,
        };
      };
      return {
        type: 'custom',
        renderItem,
        data: stretch,
        encode: { x: 0, y: [1, 2] },
        clip: true,
        silent: true,
      };
    });
}
