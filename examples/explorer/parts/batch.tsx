/** Part 1: the forward pass of one column, as points on four parallel number lines. */
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Column } from '../column/column.ts';
import { index, show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { defaults, limits, readBatch, readEps, readNumber } from '../page/state.ts';
import { NumberLine } from '../ui/axis.tsx';
import { useDrag } from '../ui/drag.ts';
import { directionOf, ListField, NumberField, tidy } from '../ui/fields.tsx';
import { Equation, Fraction, N, O, Root, S, Sum } from '../ui/math.tsx';
import { Part } from '../ui/part.tsx';
import { Q, type Quantity } from '../ui/quantity.tsx';
import { useWidth } from '../ui/width.ts';

const presets: readonly (readonly [name: string, x: readonly number[]])[] = [
  ['skewed', [1, 2, 4, 9]],
  ['constant', [3, 3, 3, 3]],
  ['one outlier', [1, 1.2, 0.8, 1.1, 0.9, 8]],
  ['far from 0', [1001, 1002, 1004, 1009]],
  ['two values', [2, 7]],
];

type Props = PartProps & { readonly column: Column };

export function BatchPart({ state, set, column }: Props): JSX.Element {
  const { x, g, gamma, beta, eps } = state;
  /** g gets as many values as x. */
  const setX = (values: readonly number[]) => {
    const gs = values.map((_, i) => g[i] ?? 0);
    set({ x: values, g: gs.some((each) => each !== 0) ? gs : gs.with(0, 1) });
  };
  const sigma = Math.sqrt(column.variance + eps);
  return (
    <Part id="batch" number={1} question="What does it do to a batch?">
      <p>
        Batch normalization looks at one feature in all examples of a batch. It moves the values <Q of="x" />{' '}
        so that their mean is 0, stretches them so that their variance is 1, and lets the network choose a
        scale <Q of="gamma" /> and a place <Q of="beta" />. Drag a point of the first line.
      </p>
      <div class="figure-and-controls">
        <div>
          <Lines column={column} setX={setX} />
          <Equations column={column} />
        </div>
        <div class="controls">
          <ListField
            name={
              <>
                <Q of="x" />, {x.length} values
              </>
            }
            label="x"
            values={x}
            parse={readBatch}
            onChange={setX}
          >
            <button
              type="button"
              disabled={x.length >= limits.most}
              onClick={() => setX([...x, tidy(x.reduce((sum, value) => sum + value, 0) / x.length)])}
            >
              Add
            </button>
            <button type="button" disabled={x.length <= limits.least} onClick={() => setX(x.slice(0, -1))}>
              Remove
            </button>
          </ListField>
          <div class="buttons" role="group" aria-label="Examples of batches">
            {presets.map(([name, values]) => (
              <button
                type="button"
                key={name}
                aria-pressed={values.join() === x.join()}
                onClick={() => setX(values)}
              >
                {name}
              </button>
            ))}
          </div>
          <NumberField
            name={<Q of="gamma" />}
            label="gamma"
            unit="scale"
            value={gamma}
            standard={defaults.gamma}
            least={-3}
            most={3}
            step={0.1}
            parse={readNumber}
            onChange={(value) => set({ gamma: value })}
          />
          <NumberField
            name={<Q of="beta" />}
            label="beta"
            unit="shift"
            value={beta}
            standard={defaults.beta}
            least={-3}
            most={3}
            step={0.1}
            parse={readNumber}
            onChange={(value) => set({ beta: value })}
          />
          <NumberField
            name="ε"
            label="epsilon"
            unit="added to the variance"
            value={eps}
            standard={defaults.eps}
            least={1e-8}
            most={10}
            step={1e-5}
            logarithmic
            parse={readEps}
            onChange={(value) => set({ eps: value })}
          />
          <div class="buttons">
            <button
              type="button"
              onClick={() =>
                set({ gamma: Number(sigma.toPrecision(8)), beta: Number(column.mean.toPrecision(8)) })
              }
            >
              γ = σ, β = μ: undo it
            </button>
            <button
              type="button"
              disabled={x.some((value) => Math.abs(10 * value + 100) > limits.value)}
              onClick={() => setX(x.map((value) => tidy(10 * value + 100)))}
            >
              × 10, + 100: nothing changes
            </button>
          </div>
          <p class="note">{remark(column)}</p>
        </div>
      </div>
    </Part>
  );
}

/** What the reader sees in this batch. */
function remark({ x, variance, eps, xhat, gamma, beta, y }: Column): string {
  if (variance === 0)
    return 'All values are equal, so every x̂ is 0 and every y is β. Only ε prevents a division by 0.';
  if (x.length === 2 && variance > 1000 * eps)
    return 'With two different values, x̂ is always −1 and +1: nothing is left of them but their order.';
  if (variance < 10 * eps)
    return 'The variance is not much larger than ε, so the values of x̂ stay closer together than 1.';
  if (y.every((value, i) => Math.abs(value - x[i]) < 1e-6 * Math.sqrt(variance + eps))) {
    return 'γ is σ and β is μ: y equals x. The layer can undo its own work.';
  }
  const far = xhat.findIndex((value) => Math.abs(value) > 0.9 * Math.sqrt(x.length - 1) && x.length > 4);
  if (far >= 0)
    return `x${index(far)} is an outlier: it makes the variance, and presses the others together.`;
  if (gamma === 0) return `γ is 0: every y is β = ${show(beta)}, whatever x is.`;
  return 'Try the last button: x changes, the axes change, and x̂ and y stay where they are.';
}

const rowHeight = 90;
const rows: readonly { readonly of: Quantity; readonly name: string }[] = [
  { of: 'x', name: 'x' },
  { of: 'x', name: 'x − mean' },
  { of: 'xhat', name: 'x̂' },
  { of: 'y', name: 'y' },
];

function Lines({
  column,
  setX,
}: {
  readonly column: Column;
  readonly setX: (x: number[]) => void;
}): JSX.Element {
  const [ref, width] = useWidth(640);
  const drag = useDrag();
  const frozen = useRef<[number, number] | null>(null);
  const { x, mean, centered, variance, xhat, gamma, beta, y, eps } = column;
  const range = [24, width - 24];
  const domain = frozen.current ?? spanOf(x);
  const half = domain[1] - domain[0];
  const wide = Math.max(half / 2, 1.08 * Math.max(...centered.map(Math.abs)));
  const reach = Math.max(3.4, 1.05 * Math.max(...y.map(Math.abs)));
  const scales = [
    scaleLinear(domain, range),
    scaleLinear([-wide, wide], range),
    scaleLinear([-3.4, 3.4], range),
    scaleLinear([-reach, reach], range),
  ];
  const values = [x, centered, xhat, y];
  const at = rows.map((_, k) => 52 + k * rowHeight);
  const step = 10 ** Math.floor(Math.log10(half / 20));
  const sigma = Math.sqrt(variance + eps);
  const ticks = width < 420 ? 4 : 6;

  const marks: readonly (readonly [row: number, value: number, text: string])[] = [
    [0, mean, `mean μ = ${show(mean)}`],
    [1, sigma, width < 420 ? `σ = ${show(sigma)}` : `σ = √(variance + ε) = ${show(sigma)}`],
    [2, 1, '1'],
    [3, beta, `β = ${show(beta)}`],
  ];
  return (
    <div class="figure" ref={ref}>
      <svg
        width={width}
        height={52 + 3 * rowHeight + 30}
        role="group"
        aria-label="x, x − mean, x̂ and y on four number lines"
      >
        {x.map((_, i) => (
          <polyline
            key={i}
            class="thread"
            points={values.map((row, k) => `${scales[k](row[i])},${at[k]}`).join(' ')}
          />
        ))}
        {rows.map(({ of, name }, k) => (
          <NumberLine key={name} scale={scales[k]} at={at[k]} ticks={ticks}>
            <text class={`row-label q-${of}`} x={2} y={at[k] - 30}>
              {name}
            </text>
          </NumberLine>
        ))}
        <text class="small" x={range[1]} y={14} text-anchor="end">
          drag a point ↔
        </text>
        {marks.map(([k, value, text]) => {
          const place = Math.min(Math.max(scales[k](value), range[0]), range[1]);
          const anchor = place > width * 0.6 ? 'end' : 'start';
          return k === 2 ? null : (
            <g key={k} transform={`translate(${place} ${at[k]})`}>
              <path class="mark" d="M0 -12 l-5 -8 h10 z" />
              <text class="mark-label" x={anchor === 'start' ? 10 : -10} y={-20} text-anchor={anchor}>
                {text}
              </text>
            </g>
          );
        })}
        {values
          .slice(1)
          .map((row, k) =>
            row.map((value, i) => (
              <Dot
                key={`${k}-${i}`}
                of={rows[k + 1].of}
                x={scales[k + 1](value)}
                y={at[k + 1]}
                label={String(i + 1)}
              />
            )),
          )}
        {x.map((value, i) => {
          const { begin, move, end } = {
            begin: () => {
              frozen.current = spanOf(x);
            },
            move: (to: { x: number }) => {
              const inside = Math.min(Math.max(to.x, range[0]), range[1]);
              setX(x.with(i, tidy(Math.round(scales[0].invert(inside) / (step / 10)) * (step / 10))));
            },
            end: () => {
              frozen.current = null;
              setX([...x]);
            },
          };
          return (
            <g
              key={i}
              class="handle"
              role="slider"
              tabindex={0}
              aria-label={`x${i + 1}`}
              aria-valuenow={value}
              aria-valuemin={-limits.value}
              aria-valuemax={limits.value}
              transform={`translate(${scales[0](value)} ${at[0]})`}
              {...drag({ begin, move, end })}
              onKeyDown={(event) => {
                const direction = directionOf(event);
                if (direction === 0) return;
                event.preventDefault();
                setX(x.with(i, tidy(value + direction * step * (event.shiftKey ? 10 : 1))));
              }}
            >
              <circle class="touch" r={22} />
              <Dot of="x" x={0} y={0} label={String(i + 1)} />
            </g>
          );
        })}
        {gamma < 0 && (
          <text class="mark-label" x={range[1]} y={at[3] - 34} text-anchor="end">
            γ is negative: the order is turned around
          </text>
        )}
      </svg>
    </div>
  );
}

function Dot({ of, x, y, label }: { of: Quantity; x: number; y: number; label: string }): JSX.Element {
  return (
    <g class={`dot q-${of}`} transform={`translate(${x} ${y})`}>
      <circle r={9} />
      <text y={4} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}

/** A round interval around the values. */
function spanOf(x: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...x), Math.max(...x)];
  const margin = high > low ? 0.08 * (high - low) : Math.max(1, 0.1 * Math.abs(high));
  const [from, to] = scaleLinear([low - margin, high + margin], [0, 1])
    .nice(6)
    .domain();
  return [from, to];
}

/** Each equation of the forward pass, with its numbers. */
function Equations({ column }: { readonly column: Column }): JSX.Element {
  const { x, mean, centered, variance, eps, rstd, xhat, gamma, beta, y } = column;
  const m = x.length;
  return (
    <div class="equations" role="group" aria-label="The equations with their numbers">
      <Equation>
        <S>μ</S>
        <O>=</O>
        <Fraction
          over={<Sum values={x} each={(value) => <N of="x" value={value} term />} />}
          under={<N value={m} />}
        />
        <O>=</O>
        <N value={mean} />
      </Equation>
      <Equation>
        <msup>
          <S>σ</S>
          <mn>2</mn>
        </msup>
        <O>=</O>
        <Fraction
          over={
            <Sum
              values={centered}
              most={3}
              each={(value) => (
                <msup>
                  <mrow>
                    <N of="x" value={value} term />
                  </mrow>
                  <mn>2</mn>
                </msup>
              )}
            />
          }
          under={<N value={m} />}
        />
        <O>=</O>
        <N value={variance} />
      </Equation>
      <Equation
        then={
          <>
            <O>=</O>
            <N of="x" value={centered[0]} />
            <O>·</O>
            <N value={rstd} />
            <O>=</O>
            <N of="xhat" value={xhat[0]} />
          </>
        }
      >
        <S of="xhat" sub="1" />
        <O>=</O>
        <Fraction
          over={
            <>
              <N of="x" value={x[0]} />
              <O>−</O>
              <N value={mean} term />
            </>
          }
          under={
            <Root>
              <N value={variance} />
              <O>+</O>
              <N value={eps} />
            </Root>
          }
        />
      </Equation>
      <Equation>
        <S of="y" sub="1" />
        <O>=</O>
        <N of="gamma" value={gamma} />
        <O>·</O>
        <N of="xhat" value={xhat[0]} term />
        <O>+</O>
        <N of="beta" value={beta} term />
        <O>=</O>
        <N of="y" value={y[0]} />
      </Equation>
    </div>
  );
}
