/** The curves of two networks, by uPlot, with their names at their ends. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Curve } from '../training/curve.ts';

interface Props {
  readonly title: string;
  readonly description: string;
  readonly logarithmic?: boolean;
  readonly curves: readonly {
    readonly name: string;
    readonly colour: string;
    readonly dash?: number[];
    readonly curve: Curve;
  }[];
  /** Changes when the curves have changed. */
  readonly version: number;
}

const HEIGHT = 172;

export function Curves({ title, description, logarithmic = false, curves, version }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const shown = useRef(curves);
  shown.current = curves;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = () => {
      chart.current?.destroy();
      chart.current = new uPlot(
        optionsOf(element.clientWidth, logarithmic, shown),
        dataOf(shown.current),
        element,
      );
    };
    make();
    const observer = new ResizeObserver(() =>
      requestAnimationFrame(() => {
        if (chart.current?.width !== element.clientWidth)
          chart.current?.setSize({ width: element.clientWidth, height: HEIGHT });
      }),
    );
    observer.observe(element);
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', make);
    return () => {
      observer.disconnect();
      theme.removeEventListener('change', make);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [logarithmic]);
  useEffect(() => {
    chart.current?.setData(dataOf(shown.current));
  }, [version]);
  return (
    <div class="curves">
      <h3>{title}</h3>
      <div class="chart" role="img" aria-label={description} ref={place} />
    </div>
  );
}

/** Labels of round numbers; nothing for the other lines of a logarithmic axis. */
function tickLabel(tick: number | null): string {
  if (tick === null) return '';
  const short = Number(tick.toPrecision(2));
  return Math.abs(short - tick) < 1e-9 * Math.abs(tick) ? String(short) : '';
}

/** The ticks of a logarithmic axis that have labels: 1, 2, 5, 10, …, or powers of ten where there are many. */
function labelled(ticks: readonly number[], { min = 0.1, max = 1 }: uPlot.Scale): (number | null)[] {
  const digits = Math.log10(max / min) > 2.2 ? /^1e/ : /^[125]e/;
  return ticks.map((tick) => (digits.test(Number(tick.toPrecision(6)).toExponential()) ? tick : null));
}

/** uPlot wants all curves on the same x. */
function dataOf(curves: Props['curves']): uPlot.AlignedData {
  const tables = curves.map(({ curve }): uPlot.AlignedData => [curve.x.slice(), curve.y.slice()]);
  return uPlot.join(tables);
}

function optionsOf(
  width: number,
  logarithmic: boolean,
  shown: { readonly current: Props['curves'] },
): uPlot.Options {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = '12px system-ui, sans-serif';
  const axis = {
    stroke: colour('--soft'),
    font,
    grid: { stroke: colour('--rule'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 70, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: {
        time: false,
        range: (_, low, high) => [0, Number.isFinite(high) ? Math.max(20, high) : Math.max(20, low)],
      },
      y: logarithmic
        ? {
            distr: 3,
            range: (_, low, high) => (Number.isFinite(low) && low > 0 ? [low / 1.3, high * 1.3] : [0.1, 3]),
          }
        : { range: () => [0, 1] },
    },
    axes: [
      { ...axis, size: 28, space: 55 },
      {
        ...axis,
        size: 44,
        space: 30,
        values: (_, ticks) => ticks.map(tickLabel),
        ...(logarithmic && { filter: (plot, ticks) => labelled(ticks, plot.scales.y) }),
      },
    ],
    series: [
      {},
      ...shown.current.map(({ name, colour: own, dash }) => ({
        label: name,
        stroke: colour(own),
        width: 2,
        spanGaps: true,
        points: { show: false },
        ...(dash && { dash }),
      })),
    ],
    hooks: {
      draw: [
        (plot) => {
          const { ctx, bbox } = plot;
          const ratio = devicePixelRatio;
          const ends = shown.current
            .map(({ name, colour: own, curve }) => ({ name, own, at: curve.y.at(-1) }))
            .filter((end): end is { name: string; own: string; at: number } => end.at !== undefined)
            .map((end) => ({
              ...end,
              y: Math.min(
                Math.max(plot.valToPos(end.at, 'y', true), bbox.top + 6 * ratio),
                bbox.top + bbox.height - 6 * ratio,
              ),
            }))
            .sort((a, b) => a.y - b.y);
          ctx.save();
          ctx.font = `600 ${12 * ratio}px system-ui, sans-serif`;
          ctx.textAlign = 'left';
          ctx.textBaseline = 'middle';
          ends.forEach((end, k) => {
            if (k > 0) end.y = Math.max(end.y, ends[k - 1].y + 15 * ratio);
            ctx.fillStyle = colour(end.own);
            ctx.fillText(end.name, bbox.left + bbox.width + 6 * ratio, end.y);
          });
          ctx.restore();
        },
      ],
    },
  };
}
