/** Part 2: the backward pass of one column, taken apart. */
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { Column } from '../column/column.ts';
import {
  agrees,
  dxAlong,
  hasNumericalDx,
  jacobian,
  numericalDx,
  type Paths,
  termsOf,
} from '../column/gradient.ts';
import { index, show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { limits, readNumbers } from '../page/state.ts';
import { Arrow } from '../ui/arrow.tsx';
import { useDrag } from '../ui/drag.ts';
import { directionOf, ListField, tidy } from '../ui/fields.tsx';
import { Equation, Fraction, N, O, S } from '../ui/math.tsx';
import { Part } from '../ui/part.tsx';
import { Q } from '../ui/quantity.tsx';
import { useWidth } from '../ui/width.ts';

type Props = PartProps & { readonly column: Column };

const pathNames: readonly (readonly [path: keyof Paths, name: string])[] = [
  ['direct', 'directly, through xᵢ itself'],
  ['mean', 'through the mean'],
  ['variance', 'through the variance'],
];

export function GradientPart({ state, set, column }: Props): JSX.Element {
  const { paths, g } = state;
  const spread = Math.sqrt(column.variance + column.eps);
  const isNumerical = hasNumericalDx(column, spread);
  const numerical = useMemo(
    () => (isNumerical ? numericalDx(column, spread) : column.dx),
    [column, spread, isNumerical],
  );
  const dx = useMemo(() => dxAlong(column, paths), [column, paths]);
  const rows = useMemo(() => jacobian(column), [column]);
  const scale = Math.max(
    ...numerical.map(Math.abs),
    Math.abs(column.gamma * column.rstd) * Math.max(...g.map(Math.abs)),
  );
  const wrong = dx.map((value, i) => !agrees(value, numerical[i], scale));
  const count = wrong.filter(Boolean).length;
  const setG = (values: readonly number[]) => set({ g: values });
  return (
    <Part id="gradient" number={2} question="Why does every dx change when I touch one g?">
      <p>
        <Q of="g" /> says how the loss changes with each <Q of="y" />. Backward, <Q of="g" /> loses its mean
        and its part along <Q of="xhat" />, since the layer ignores both a shift and a stretch of the batch.
        Both are sums over the whole batch: so one <Q of="g" /> reaches every <Q of="dx" />. Drag a circle on
        the left.
      </p>
      <div class="figure-and-controls">
        <Lanes column={column} dx={dx} numerical={numerical} wrong={wrong} setG={setG} />
        <div class="controls">
          <ListField
            name={<Q of="g" />}
            label="g"
            values={g}
            parse={(text) => {
              const values = readNumbers(text);
              if (values.length === g.length) return values;
              throw new RangeError(
                `g has length ${values.length}, and x has length ${g.length}: give one g for each x.`,
              );
            }}
            onChange={setG}
          >
            <button type="button" onClick={() => setG(g.map((_, i) => (i === 0 ? 1 : 0)))}>
              Only g₁
            </button>
            <button type="button" onClick={() => setG(g.map(() => 1))}>
              All equal
            </button>
          </ListField>
          <fieldset>
            <legend>
              Ways from <Q of="x" /> to <Q of="y" />
            </legend>
            {pathNames.map(([path, name]) => (
              <label class="check" key={path}>
                <input
                  type="checkbox"
                  checked={paths[path]}
                  onChange={(event) => set({ paths: { ...paths, [path]: event.currentTarget.checked } })}
                />
                {name}
              </label>
            ))}
          </fieldset>
          <p class={count > 0 ? 'problem' : 'note'} aria-live="polite">
            {count === 0
              ? isNumerical
                ? 'Each dx equals the numerical gradient, which uses the forward pass only.'
                : 'x is so far from 0 that rounding hides numerical differences. Each dx is compared with the sum of all three paths instead.'
              : `✗ ${count} of ${dx.length} are wrong: the outlined arrows are the ${isNumerical ? 'numerical gradient' : 'sum of all three paths'}.`}
          </p>
          <Jacobian rows={rows} />
        </div>
      </div>
    </Part>
  );
}

function Lanes({
  column,
  dx,
  numerical,
  wrong,
  setG,
}: {
  readonly column: Column;
  readonly dx: readonly number[];
  readonly numerical: readonly number[];
  readonly wrong: readonly boolean[];
  readonly setG: (g: readonly number[]) => void;
}): JSX.Element {
  const [ref, width] = useWidth(640);
  const drag = useDrag();
  const frozen = useRef<number | null>(null);
  const { x, g, y } = column;
  const m = x.length;
  const narrow = width < 520;
  const lane = narrow ? 44 : Math.max(31, Math.min(60, 300 / m));
  const top = 44;
  const height = top + m * lane + 8;
  const terms = termsOf(column);
  const shares = narrow ? [0, 0.25, 0.42, 0.59, 0.74, 1] : [0, 0.27, 0.42, 0.57, 0.72, 1];
  const edge = shares.map((share) => share * width);
  /** The last column leaves room for its numbers. */
  const middle = (k: number) => (k === 4 && !narrow ? 0.82 * width : (edge[k] + edge[k + 1]) / 2);
  const most = frozen.current ?? Math.max(1, ...g.map(Math.abs));
  const unit = (0.075 * width - 4) / most;
  const at = (i: number) => top + (i + 0.5) * lane;
  const inside = (values: readonly number[], k: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = high > low ? 0 : 1;
    return scaleLinear([low - margin, high + margin], [middle(k) - 0.035 * width, middle(k) + 0.035 * width]);
  };
  const [yScale, xScale] = [inside(y, 0), inside(x, 4)];
  const longest = Math.max(1e-12, ...dx.map(Math.abs), ...numerical.map(Math.abs));
  const dxUnit = (0.075 * width) / longest;
  const step = 10 ** Math.floor(Math.log10(most / 10));
  const heads: readonly (readonly [text: string, under: string, of: string])[] = [
    ['g at y', 'drag ↔', 'q-g'],
    [narrow ? '−mean' : '− mean', narrow ? show(-terms.mean, 2) : `dβ/m = ${show(terms.mean, 2)}`, 'q-g'],
    [narrow ? '−part' : '− along x̂', narrow ? 'along x̂' : 'x̂ · dγ/m', 'q-xhat'],
    [narrow ? 'rest' : '= rest', narrow ? '' : 'what is left', 'q-g'],
    ['dx at x', narrow ? `× ${show(terms.factor, 3)}` : `× γ·rstd = ${show(terms.factor, 3)}`, 'q-dx'],
  ];
  return (
    <div>
      <div class="figure" ref={ref}>
        <svg
          width={width}
          height={height}
          role="group"
          aria-label="The gradient of each example, taken apart"
        >
          {heads.map(([text, under, of], k) => (
            <g key={text} transform={`translate(${middle(k)} 0)`}>
              <text class={`column-head ${of}`} y={14} text-anchor="middle">
                {text}
              </text>
              <text class="small" y={31} text-anchor="middle">
                {under}
              </text>
            </g>
          ))}
          {x.map((_, i) => (
            <line key={i} class="tick" x1={0} x2={width} y1={top + i * lane} y2={top + i * lane} />
          ))}
          {[1, 2, 3].map((k) => (
            <line key={k} class="tick" x1={middle(k)} x2={middle(k)} y1={top} y2={top + m * lane} />
          ))}
          {x.map((_, i) => (
            <g key={i}>
              <Arrow name="q-other" x={middle(1)} y={at(i)} length={-terms.mean * unit} />
              <Arrow name="q-xhat" x={middle(2)} y={at(i)} length={-terms.along[i] * unit} />
              <Arrow name="q-g" x={middle(3)} y={at(i)} length={terms.rest[i] * unit} />
              {wrong[i] && (
                <Arrow name="numerical" x={xScale(x[i])} y={at(i) - 7} length={numerical[i] * dxUnit} />
              )}
              <Arrow name={wrong[i] ? 'wrong' : 'q-dx'} x={xScale(x[i])} y={at(i)} length={dx[i] * dxUnit} />
              <circle class="place q-x" cx={xScale(x[i])} cy={at(i)} r={4.5} />
              {!narrow && (
                <>
                  <text
                    class={`value ${wrong[i] ? 'wrong' : 'q-dx'}`}
                    x={width}
                    y={at(i) + lane / 2 - 5}
                    text-anchor="end"
                  >
                    {wrong[i] && '✗ '}
                    {show(dx[i], 3)}
                    {wrong[i] && lane > 40 && `, not ${show(numerical[i], 3)}`}
                  </text>
                  <text class="value q-g" x={m > 9 ? 20 : 14} y={at(i) + lane / 2 - 5}>
                    {show(g[i], 3)}
                  </text>
                </>
              )}
              <text class="small" x={0} y={at(i) + 4}>
                {i + 1}
              </text>
            </g>
          ))}
          {g.map((value, i) => (
            <g
              key={i}
              class="handle touchable"
              role="slider"
              tabindex={0}
              aria-label={`g${i + 1}`}
              aria-valuenow={value}
              aria-valuemin={-limits.value}
              aria-valuemax={limits.value}
              {...drag({
                begin: () => {
                  frozen.current = most;
                },
                move: (to) => {
                  const raw = (Math.min(Math.max(to.x, 4), edge[1] + 20) - yScale(y[i])) / unit;
                  setG(g.with(i, tidy(Math.round(raw / step) * step)));
                },
                end: () => {
                  frozen.current = null;
                  setG([...g]);
                },
              })}
              onKeyDown={(event) => {
                const direction = directionOf(event);
                if (direction === 0) return;
                event.preventDefault();
                setG(g.with(i, tidy(value + direction * step * (event.shiftKey ? 10 : 1))));
              }}
            >
              <circle class="touch" cx={yScale(y[i]) + value * unit} cy={at(i)} r={Math.max(15, lane / 2)} />
              <Arrow name="q-g strong" x={yScale(y[i])} y={at(i)} length={value * unit} />
              <circle class="grip q-g" cx={yScale(y[i]) + value * unit} cy={at(i)} r={6} />
              <circle class="place q-y" cx={yScale(y[i])} cy={at(i)} r={4.5} />
            </g>
          ))}
        </svg>
      </div>
      <div class="equations">
        <Equation>
          <S of="dx" sub="1" />
          <O>=</O>
          <S of="gamma" />
          <O>·</O>
          <S>rstd</S>
          <O>·</O>
          <mrow>
            <O>(</O>
            <S of="g" sub="1" />
            <O>−</O>
            <Fraction over={<S>dβ</S>} under={<S>m</S>} />
            <O>−</O>
            <S of="xhat" sub="1" />
            <O>·</O>
            <Fraction over={<S>dγ</S>} under={<S>m</S>} />
            <O>)</O>
          </mrow>
        </Equation>
        <Equation
          then={
            <>
              <O>=</O>
              <N of="dx" value={column.dx[0]} />
            </>
          }
        >
          <S of="dx" sub="1" />
          <O>=</O>
          <N value={terms.factor} />
          <O>·</O>
          <mrow>
            <O>(</O>
            <N of="g" value={g[0]} />
            <O>−</O>
            <N value={terms.mean} term />
            <O>−</O>
            <N of="xhat" value={terms.along[0]} term />
            <O>)</O>
          </mrow>
        </Equation>
        <Equation>
          <S>rstd</S>
          <O>=</O>
          <Fraction over={<mn>1</mn>} under={<S>σ</S>} />
          <O>=</O>
          <N value={column.rstd} />
        </Equation>
        <Equation>
          <S>dβ</S>
          <O>=</O>
          <O>∑</O>
          <S of="g" sub="i" />
          <O>=</O>
          <N of="beta" value={column.dbeta} />
        </Equation>
        <Equation>
          <S>dγ</S>
          <O>=</O>
          <O>∑</O>
          <S of="g" sub="i" />
          <S of="xhat" sub="i" />
          <O>=</O>
          <N of="gamma" value={column.dgamma} />
        </Equation>
      </div>
    </div>
  );
}

/** ∂yᵢ/∂xⱼ as a heat map. */
function Jacobian({ rows }: { readonly rows: readonly (readonly number[])[] }): JSX.Element {
  const m = rows.length;
  const side = Math.floor(Math.min(44, 210 / m));
  const largest = Math.max(1e-300, ...rows.flat().map(Math.abs));
  const size = m * side;
  return (
    <figure class="jacobian">
      <figcaption>The Jacobian: how y of row i changes with x of column j. Every row sums to 0.</figcaption>
      <svg
        class={m > 9 ? 'many' : undefined}
        width={size + 96}
        height={size + 18}
        role="img"
        aria-label={`Jacobian. ${describe(rows)}`}
      >
        {rows.map((row, i) => (
          <g key={i}>
            {row.map((value, j) => (
              <g key={j} transform={`translate(${22 + j * side} ${16 + i * side})`}>
                <rect
                  width={side - 1}
                  height={side - 1}
                  class={value < 0 ? 'negative' : 'positive'}
                  style={{ fillOpacity: 0.08 + 0.72 * Math.abs(value / largest) }}
                >
                  <title>{`∂y${index(i)}/∂x${index(j)} = ${show(value)}`}</title>
                </rect>
                {m <= 5 && (
                  <text class="cell" x={(side - 1) / 2} y={side / 2 + 4} text-anchor="middle">
                    {short(value)}
                  </text>
                )}
              </g>
            ))}
            <text class="small" x={16} y={16 + i * side + side / 2 + 4} text-anchor="end">
              {i + 1}
            </text>
            <text class="small" x={28 + size} y={16 + i * side + side / 2 + 4}>
              Σ ={' '}
              {show(
                tidyZero(
                  row.reduce((sum, value) => sum + value, 0),
                  largest,
                ),
                2,
              )}
            </text>
            <text class="small" x={22 + i * side + side / 2} y={11} text-anchor="middle">
              {i + 1}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** A number that fits into a cell. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size > 5e-13 && size < 0.005) return show(value, 1).replace('−0.', '−.');
  return show(size < 1 ? Number(value.toFixed(2)) : value, size < 1 ? 2 : 1);
}

/** 0 for what rounding leaves of a sum. */
const tidyZero = (sum: number, largest: number): number => (Math.abs(sum) < 1e-12 * largest ? 0 : sum);

function describe(rows: readonly (readonly number[])[]): string {
  return rows.map((row, i) => `Row ${i + 1}: ${row.map((value) => show(value, 2)).join(', ')}.`).join(' ');
}
