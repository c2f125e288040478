/** The parts that all charts share, as options of echarts: legend, names and axes. */
import type { Paint } from './colours.ts';
import { FONT, LINE, WIDTH, legendOf } from './layout.ts';
import type { Axis, Chart } from './model.ts';
import { formatNumber } from './numbers.ts';
import type { Scale } from './ticks.ts';
import { wrap } from './text-width.ts';

export type Option = Readonly<Record<string, unknown>>;

export interface Head {
  readonly options: Option;
  /** The height of the heading, legend and axis name: the plot begins below. */
  readonly height: number;
}

/** The heading, if any, the legend, and the name of the vertical axis. */
export function headOf(chart: Chart, verticalName: string, paint: Paint, heading: string | null): Head {
  const bold = heading === null ? [] : wrap(heading, WIDTH / 1.1, FONT + 1);
  const headingHeight = bold.length === 0 ? 0 : bold.length * LINE + 8;
  const legend = legendOf(chart, headingHeight);
  const nameTop = headingHeight + legend.height + 4;
  const name = verticalName === '' ? [] : wrap(verticalName, WIDTH, FONT);
  const text = (lines: readonly string[], top: number, style: Option) => ({
    text: lines.join('\n'),
    left: 0,
    top,
    padding: 0,
    textStyle: { fontSize: FONT, lineHeight: LINE, ...style },
  });
  return {
    options: {
      title: [
        text(bold, 0, { fontSize: FONT + 1, fontWeight: 'bold', color: paint.ink }),
        text(name, nameTop, { fontWeight: 'normal', color: paint.soft }),
      ].filter(({ text: words }) => words !== ''),
      legend: legend.items.map(({ name: series, lines, isMark, left, top }) => ({
        data: [series],
        formatter: () => lines.join('\n'),
        left,
        top,
        padding: 0,
        itemWidth: isMark ? 11 : 24,
        itemHeight: isMark ? 11 : 9,
        selectedMode: false,
        textStyle: { fontSize: FONT, lineHeight: LINE, color: paint.ink },
      })),
    },
    height: nameTop + name.length * LINE + 10,
  };
}

/** A numeric axis, horizontal or vertical. */
export function valueAxis({ scale = 'linear' }: Axis, { min, max, ticks }: Scale, paint: Paint): Option {
  return {
    type: scale === 'log' ? 'log' : 'value',
    min,
    max,
    ...(scale === 'linear' && { interval: ticks[1] - ticks[0] }),
    axisLine: { show: true, onZero: false, lineStyle: { color: paint.soft } },
    axisTick: { show: true, customValues: ticks, lineStyle: { color: paint.soft } },
    axisLabel: { ...labels(paint), customValues: ticks, formatter: (value: number) => formatNumber(value) },
    splitLine: { show: false },
    minorTick: { show: false },
  };
}

/** The name below a horizontal axis. */
export function nameBelow(name: string, paint: Paint): Option {
  return {
    name: wrap(name, WIDTH - 80, FONT).join('\n'),
    nameLocation: 'middle',
    nameGap: 24,
    nameTextStyle: { fontSize: FONT, lineHeight: LINE, color: paint.soft, verticalAlign: 'top' },
  };
}

/** The height of the numbers below a horizontal axis and of its name. */
export function heightBelow(name: string): number {
  return 28 + (name === '' ? 0 : wrap(name, WIDTH - 80, FONT).length * LINE + 4);
}

export function labels(paint: Paint): Option {
  return {
    fontSize: FONT - 1,
    color: paint.soft,
    hideOverlap: false,
    showMinLabel: true,
    showMaxLabel: true,
  };
}
