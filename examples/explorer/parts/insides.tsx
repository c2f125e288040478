/** What is inside the two networks: activations and gradients of each hidden layer, γ and β. */
import { scaleLog } from 'd3-scale';
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
  const label = 64;
  const each = (width - label) / count;
  const gap = each > 60 ? 12 : 5;
  const gradients = [...plain.layers, ...normalized.layers].map(({ gradient }) => gradient).filter((value) => value > 0);
  const size = scaleLog([Math.min(1e-6, ...gradients), Math.max(1e-2, ...gradients)], [2, each - gap]).clamp(true);
  const rows = [
    { name: 'without', inside: plain, of: 'plain' },
    { name: 'with', inside: normalized, of: 'bn' },
  ] as const;
  return (
    <div class="figure insides" ref={ref}>
      <h3>Outputs of each hidden layer, and the size of its gradient (bar, logarithmic)</h3>
      <svg width={width} height={152} role="group" aria-label="Activations and gradients by layer">
        {rows.map(({ name, inside, of }, r) => (
          <g key={name} transform={`translate(0 ${4 + r * 76})`}>
            <text class={`path-label ${of}`} x={0} y={26}>
              {name}
            </text>
            {inside.layers.map((layer, k) => (
              <g key={k} transform={`translate(${label + k * each} 0)`}>
                <Histogram layer={layer} width={each - gap} of={of} name={`${name}, layer ${k + 1}`} />
                <rect class={`fill-${of}`} x={0} y={55} width={layer.gradient > 0 ? size(layer.gradient) : 0} height={5} />
              </g>
            ))}
          </g>
        ))}
      </svg>
      {normalized.gamma.length > 0 && <Norms inside={normalized} />}
    </div>
  );
}

const HEIGHT = 36;

function Histogram({ layer, width, of, name }: { layer: LayerInside; width: number; of: string; name: string }): JSX.Element {
  const { low, high, counts, zeros, gradient } = layer;
  const highest = Math.max(1, ...counts);
  const bar = width / counts.length;
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
            {show(low, 2)}
          </text>
          <text class="tick-label" x={width} y={HEIGHT + 13} text-anchor="end">
            {show(high, 2)}
          </text>
        </>
      )}
    </g>
  );
}

/** The ranges of γ and β of each normalization. */
function Norms({ inside: { gamma, beta } }: { readonly inside: Inside }): JSX.Element {
  const range = (values: readonly number[]) => `${show(values[2], 3)} (${show(values[0], 3)} … ${show(values[4], 3)})`;
  return (
    <p class="note">
      Medians and ranges by layer: <span class="q-gamma">γ {gamma.map(range).join(', ')}</span>;{' '}
      <span class="q-beta">β {beta.map(range).join(', ')}</span>
    </p>
  );
}
