/** Draws a line chart as text. */
import { plot } from 'simple-ascii-chart';
import type { Axis, Colour, LineChart } from './model.ts';
import { formatNumber } from './numbers.ts';
import { linearScale, logScale, type Scale } from './ticks.ts';

const WIDTH = 62;
const HEIGHT = 12;
/** The symbol between two points. */
const DOT = '·';
const marks: Record<Colour, string> = { plain: 'o', bn: '●', other: '▲', fourth: '■', neutral: '◆' };
const ansi: Record<Colour, number> = { plain: 34, bn: 33, other: 32, fourth: 35, neutral: 39 };

type Point = [x: number, y: number];

/**
 * A chart of at most 80 columns; empty if all points have the same x.
 *
 * @param inColour Whether to use ANSI colours. By default true if stdout is a terminal.
 */
export function terminalChart(
  title: string,
  { x, y, series }: LineChart,
  inColour: boolean = process.stdout.isTTY && process.env.NO_COLOR === undefined,
): string {
  const shown = series.map((each) => ({
    ...each,
    points: each.points
      .filter((point) => point.every(Number.isFinite))
      .map(([a, b]): Point => [at(x, a), at(y, b)]),
  }));
  const all = shown.flatMap(({ points }) => points);
  if (new Set(all.map(([a]) => a)).size < 2) return '';
  const xScale = scaleOf(
    x,
    all.map(([a]) => a),
    false,
  );
  const yScale = scaleOf(
    y,
    all.map(([, b]) => b),
    true,
  );
  const colour = (of: Colour, text: string) => (inColour ? `\u001b[${ansi[of]}m${text}\u001b[0m` : text);
  // Later symbols cover earlier ones: first the connecting dots of all series, then the points.
  const symbols = [
    ...shown.flatMap(({ style, points, colour: of }) =>
      style === 'points' ? [] : between(points, xScale).map((point) => ({ point, symbol: colour(of, DOT) })),
    ),
    ...shown.flatMap(({ points, colour: of }) =>
      points.map((point) => ({ point, symbol: colour(of, marks[of]) })),
    ),
  ];
  const chart = plot(all, {
    width: WIDTH,
    height: HEIGHT,
    yRange: [yScale.min, yScale.max],
    customXAxisTicks: [...xScale.ticks],
    customYAxisTicks: [...yScale.ticks],
    formatter: (value, { axis }) => labelOf(axis === 'x' ? x : y, value),
    // Called once for each point, without naming its series: the first call draws all series.
    lineFormatter: ({ index, toPlotCoordinates, expansionX, expansionY }) =>
      index > 0
        ? []
        : symbols.map(({ point: [a, b], symbol }) => {
            const cell = [share(a, expansionX) * (WIDTH - 1), share(b, expansionY) * (HEIGHT - 1)] as const;
            const [column, row] = toPlotCoordinates(...cell);
            return { x: column + 1, y: row + 1, symbol };
          }),
  });
  const legend = shown.map(({ name, colour: of }) => `${colour(of, marks[of])} ${name}`).join('   ');
  const lines = chart
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return [`${title}:  ${legend}`, ...lines].join('\n');
}

/** The position of a value between two numbers: 0 at the first, 1 at the second. */
function share(value: number, [from, to]: readonly number[]): number {
  return (value - from) / (to - from || 1);
}

/** The position of a value on its axis: the library has no logarithmic axes. */
function at({ scale }: Axis, value: number): number {
  return scale === 'log' ? Math.log10(value) : value;
}

function labelOf({ scale }: Axis, place: number): string {
  return formatNumber(scale === 'log' ? Number((10 ** place).toPrecision(4)) : place);
}

function scaleOf(axis: Axis, places: readonly number[], round: boolean): Scale {
  if (axis.scale !== 'log') return linearScale(places, { min: axis.min, max: axis.max, count: 6, round });
  const { min, max, ticks } = logScale(
    places.map((place) => 10 ** place),
    { min: axis.min, max: axis.max, count: 6, round },
  );
  return { min: Math.log10(min), max: Math.log10(max), ticks: ticks.map(Math.log10) };
}

/** Points on the connecting lines, one per column. */
function between(points: readonly Point[], { min, max }: Scale): Point[] {
  return points.slice(1).flatMap(([x1, y1], i) => {
    const [x0, y0] = points[i];
    const columns = Math.round(((x1 - x0) / (max - min)) * WIDTH);
    return Array.from({ length: Math.max(0, columns - 1) }, (_, k): Point => {
      const part = (k + 1) / columns;
      return [x0 + part * (x1 - x0), y0 + part * (y1 - y0)];
    });
  });
}
