/** A bar chart as options of echarts: vertical bars, or horizontal ones if the names of the categories are long. */
import type { CustomSeriesRenderItem } from 'echarts';
import { headOf, heightBelow, labels, nameBelow, type Option, valueAxis } from './chart-frame.ts';
import type { Paint } from './colours.ts';
import { FONT, LINE, WIDTH } from './layout.ts';
import { exactly, type Picture } from './line-options.ts';
import type { BarChart } from './model.ts';
import { formatNumber } from './numbers.ts';
import { textWidth, wrap } from './text-width.ts';
import { fitting, linearScale, logScale, type Scale } from './ticks.ts';

const PLOT = 190;
const bars = { barCategoryGap: '30%', barGap: '8%' };

export function barPicture(chart: BarChart, paint: Paint, heading: string | null): Picture {
  const values = chart.series.flatMap(({ values: each, intervals = [] }) => [...each, ...intervals.flat()]);
  const isLog = chart.y.scale === 'log';
  // Bars begin at 0; on a logarithmic axis, below the smallest value.
  const from = isLog ? [...values, ...values.map((value) => value / 2)] : [0, ...values];
  const { min, max } = chart.y;
  const scaleOf = (count: number) => (isLog ? logScale : linearScale)(from, { min, max, count, round: true });
  const widthOf = (tick: number) => textWidth(formatNumber(tick), FONT - 1);
  const optionOf = (scale: Scale) => ({
    ...valueAxis(chart.y, scale, paint),
    splitLine: { show: true, lineStyle: { color: paint.rule } },
  });
  const category = (lines: readonly (readonly string[])[]): Option => ({
    type: 'category',
    data: lines.map((each) => each.join('\n')),
    axisLine: { show: true, onZero: false, lineStyle: { color: paint.soft } },
    axisTick: { show: false },
    axisLabel: { ...labels(paint), interval: 0, lineHeight: LINE - 2 },
  });

  const standing = scaleOf(5);
  const left = Math.ceil(Math.max(...standing.ticks.map(widthOf))) + 12;
  const room = (WIDTH - left - 12) / chart.categories.length - 6;
  const upright = chart.categories.map((name) => wrap(name, room, FONT - 1));
  const fits = upright.every(
    (lines, i) => lines.length <= 2 && lines.join(' ') === chart.categories[i].trim().split(/\s+/).join(' '),
  );
  if (fits) {
    const head = headOf(chart, chart.y.name, paint, heading);
    const below = 14 + Math.max(...upright.map((lines) => lines.length)) * LINE;
    return {
      height: head.height + PLOT + below,
      option: {
        ...head.options,
        grid: { left, right: 12, top: head.height, height: PLOT, ...exactly },
        xAxis: category(upright),
        yAxis: optionOf(standing),
        series: seriesOf(chart, paint, standing.min, false),
      },
    };
  }

  const lying = chart.categories.map((name) => wrap(name, WIDTH * 0.36, FONT - 1));
  const names = Math.ceil(Math.max(...lying.flat().map((line) => textWidth(line, FONT - 1)))) + 12;
  const scale = fitting(scaleOf, { most: 5, room: WIDTH - names, width: widthOf });
  const lines = Math.max(...lying.map((each) => each.length));
  const each = Math.max(lines * (LINE - 2) + 6, chart.series.length * 11 + 9);
  const plot = each * chart.categories.length;
  const head = headOf(chart, '', paint, heading);
  const right = Math.ceil(Math.max(...scale.ticks.map(widthOf)) / 2) + 4;
  return {
    height: head.height + plot + heightBelow(chart.y.name),
    option: {
      ...head.options,
      grid: { left: names, right, top: head.height, height: plot, ...exactly },
      xAxis: { ...optionOf(scale), ...nameBelow(chart.y.name, paint) },
      yAxis: { ...category(lying), inverse: true },
      series: seriesOf(chart, paint, scale.min, true),
    },
  };
}

function seriesOf(chart: BarChart, paint: Paint, base: number, lying: boolean): Option[] {
  const count = chart.series.length;
  const shown = chart.series.map(({ name, colour, values }) => ({
    type: 'bar',
    name,
    color: paint[colour],
    ...bars,
    data: values.map((value) => (Number.isFinite(value) ? value : null)),
    silent: true,
    emphasis: { disabled: true },
  }));
  const whiskers = chart.series.flatMap(({ intervals }, at) => {
    if (intervals === undefined) return [];
    const renderItem: CustomSeriesRenderItem = ({ dataIndex }, api) => {
      const [low, high] = intervals[dataIndex];
      if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
      const offset = api.barLayout({ count, ...bars })?.[at].offsetCenter ?? 0;
      const place = (value: number): [number, number] => {
        const [x, y] = api.coord(lying ? [value, dataIndex] : [dataIndex, value]);
        return lying ? [x, y + offset] : [x + offset, y];
      };
      const end = (value: number) => {
        const [x, y] = place(value);
        return lying ? { x1: x, x2: x, y1: y - 3, y2: y + 3 } : { x1: x - 3, x2: x + 3, y1: y, y2: y };
      };
      const [[x1, y1], [x2, y2]] = [place(Math.max(low, base)), place(high)];
      const style = { stroke: paint.ink, lineWidth: 1.25 };
      const shapes = [{ x1, y1, x2, y2 }, end(high), ...(low > base ? [end(low)] : [])];
      return {
        type: 'group',
        children: shapes.map((shape) => ({ type: 'line', shape, style, silent: true })),
      };
    };
    const data = intervals.map(([low, high], i) => (lying ? [low, high, i] : [i, low, high]));
    const encode = lying ? { x: [0, 1], y: 2 } : { x: 0, y: [1, 2] };
    return [{ type: 'custom', renderItem, data, encode, clip: true, silent: true, z: 3 }];
  });
  return [...shown, ...whiskers];
}
