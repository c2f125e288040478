/** What is inside the two networks: activations and gradients of each hidden layer, γ and β. */
import { scaleLinear, scaleLog } from 'd3-scale';
import type { JSX } from 'preact';
import { show } from '../page/format.ts';
import type { Inside, LayerInside } from '../training/protocol.ts';
import { useWidth } from '../ui/width.ts';

interface Props {
  readonly plain: Inside;
  readonly normalized: Inside;
}

export function Insides({ plain, normalized }: Props): JSX.Element {
  const [ref, width] = useWidth(640);
  const count = Math.max(plain.layers.length, normalized.layers.length);
  const label = 92;
  const each = (width - label) / count;
  const gap = each > 60 ? 12 : 5;
  const gradients = [...plain.layers, ...normalized.layers]
    .map(({ gradient }) => gradient)
    .filter((value) => value > 0);
  const size = scaleLog([Math.min(1e-6, ...gradients), Math.max(1e-2, ...gradients)], [2, each - gap]).clamp(
    true,
  );
  const rows = [
    { name: 'without', inside: plain, of: 'plain' },
    { name: 'with', inside: normalized, of: 'bn' },
  ] as const;
  return (
    <div class="figure insides" ref={ref}>
      <h3>Outputs of each hidden layer, and the size of its gradient (bar, logarithmic)</h3>
      <svg
        width={width}
        height={normalized.gamma.length > 0 ? 188 : 152}
        role="group"
        aria-label="Activations and gradients by layer"
      >
        {rows.map(({ name, inside, of }, r) => (
          <g key={name} transform={`translate(0 ${4 + r * 76})`}>
            <text class={`path-label ${of}`} x={0} y={26}>
              {name}
            </text>
            {inside.layers.map((layer, k) => (
              <g key={k} transform={`translate(${label + k * each} 0)`}>
                <Histogram layer={layer} width={each - gap} of={of} name={`${name}, layer ${k + 1}`} />
                <rect
                  class={`fill-${of}`}
                  x={0}
                  y={55}
                  width={layer.gradient > 0 ? size(layer.gradient) : 0}
                  height={5}
                />
              </g>
            ))}
          </g>
        ))}
        <g transform="translate(0 150)">
          <Ranges symbol="γ" of="gamma" ranges={normalized.gamma} rest={1} at={6} {...{ label, each, gap }} />
          <Ranges symbol="β" of="beta" ranges={normalized.beta} rest={0} at={24} {...{ label, each, gap }} />
        </g>
      </svg>
    </div>
  );
}

const HEIGHT = 36;

function Histogram({
  layer,
  width,
  of,
  name,
}: {
  layer: LayerInside;
  width: number;
  of: string;
  name: string;
}): JSX.Element {
  const { low, high, counts, zeros, gradient } = layer;
  const highest = Math.max(1, ...counts);
  const bar = width / counts.length;
  const isFinite = counts.some((value) => value > 0);
  const digits = width < 80 ? 1 : 2;
  return (
    <g>
      <title>{`${name}: outputs from ${show(low)} to ${show(high)}, ${Math.round(100 * zeros)} % are 0; gradient ${show(gradient)}`}</title>
      <rect class="bed" width={width} height={HEIGHT} />
      {counts.map((value, i) => (
        <rect
          key={i}
          class={`fill-${of}`}
          x={i * bar}
          y={HEIGHT - (HEIGHT * Math.sqrt(value)) / Math.sqrt(highest)}
          width={Math.max(0.5, bar - 0.5)}
          height={(HEIGHT * Math.sqrt(value)) / Math.sqrt(highest)}
        />
      ))}
      {width > 44 && (
        <>
          <text class="tick-label" x={0} y={HEIGHT + 13}>
            {isFinite ? show(low, digits) : 'not finite'}
          </text>
          <text class="tick-label" x={width} y={HEIGHT + 13} text-anchor="end">
            {isFinite && show(high, digits)}
          </text>
        </>
      )}
    </g>
  );
}

/** The range of γ or β in each normalization, with quartiles and median, around the value that training began with. */
function Ranges({
  symbol,
  of,
  ranges,
  rest,
  at,
  label,
  each,
  gap,
}: {
  symbol: string;
  of: 'gamma' | 'beta';
  ranges: readonly (readonly number[])[];
  rest: number;
  at: number;
  label: number;
  each: number;
  gap: number;
}): JSX.Element | null {
  if (ranges.length === 0) return null;
  if (!ranges.flat().every(Number.isFinite)) {
    return (
      <text class={`path-label q-${of}`} x={0} y={at + 8}>
        {symbol} <tspan class="tick-label">not finite</tspan>
      </text>
    );
  }
  const farthest = Math.max(0.05, ...ranges.flat().map((value) => Math.abs(value - rest)));
  const scale = scaleLinear([rest - farthest, rest + farthest], [0, each - gap]);
  return (
    <g class={`q-${of}`} transform={`translate(0 ${at})`}>
      <text class="path-label" x={0} y={8}>
        {symbol}{' '}
        <tspan class="tick-label">
          {show(rest - farthest, 2)} … {show(rest + farthest, 2)}
        </tspan>
      </text>
      {ranges.map(([least, lower, median, upper, most], k) => (
        <g key={k} transform={`translate(${label + k * each} 4)`}>
          <title>{`${symbol}, layer ${k + 1}: from ${show(least)} to ${show(most)}, median ${show(median)}`}</title>
          <line class="tick" x1={scale(rest)} x2={scale(rest)} y1={-7} y2={7} />
          <line class="range" x1={scale(least)} x2={scale(most)} y1={0} y2={0} />
          <line class="quartiles" x1={scale(lower)} x2={scale(upper)} y1={0} y2={0} />
          <circle class="place" cx={scale(median)} cy={0} r={4} />
        </g>
      ))}
    </g>
  );
}
