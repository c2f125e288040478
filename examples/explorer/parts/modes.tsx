/** Part 6: training and evaluation, and the running statistics between them. */
import { scaleLinear } from 'd3-scale';
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useMemo } from 'preact/hooks';
import {
  BATCHES,
  bothModes,
  type Convention,
  conventions,
  momentumNames,
  PINNED,
  type Running,
  runningStatistics,
  TRUE_DEVIATION,
  TRUE_MEAN,
} from '../column/stream.ts';
import { show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { defaults, readInteger, type State } from '../page/state.ts';
import { NumberLine } from '../ui/axis.tsx';
import { NumberField } from '../ui/fields.tsx';
import { Part } from '../ui/part.tsx';
import { useWidth } from '../ui/width.ts';

type Props = Pick<State, 'seen' | 'neighbours' | 'convention'> & Pick<PartProps, 'set'>;

export const ModesPart: (props: Props) => JSX.Element = memo(Modes);

function Modes({ seen, neighbours, convention, set }: Props): JSX.Element {
  const paths = useMemo(runningStatistics, []);
  const now = paths[convention][seen];
  const { x, training, evaluation } = useMemo(
    () => bothModes(neighbours, convention, now),
    [neighbours, convention, now],
  );
  const answers = useMemo(
    () =>
      Array.from(
        { length: Math.min(neighbours, 30) },
        (_, k) => bothModes(neighbours - k, convention, now).training[0],
      ),
    [neighbours, convention, now],
  );
  return (
    <Part
      id="modes"
      number={6}
      question="Why does the same batch give different answers in training and in evaluation?"
    >
      <p>
        In training, an example is measured against its neighbours in the batch; in evaluation, against
        running averages of all batches so far. So in training the answer for one example depends on who is
        beside it.
      </p>
      <div class="figure-and-controls">
        <div>
          <TwoModes x={x} training={training} evaluation={evaluation} answers={answers} />
          <div class="pair">
            <Path
              title="running mean, by batches"
              value={({ mean }) => mean}
              truth={TRUE_MEAN}
              paths={paths}
              seen={seen}
              chosen={convention}
            />
            <Path
              title="running variance, by batches"
              value={({ variance }) => variance}
              truth={TRUE_DEVIATION ** 2}
              paths={paths}
              seen={seen}
              chosen={convention}
            />
          </div>
        </div>
        <div class="controls">
          <div class="buttons">
            <button type="button" onClick={() => set({ neighbours: (neighbours % 999) + 1 })}>
              New neighbours for example 1
            </button>
          </div>
          <NumberField
            name="Batches seen"
            label="batches seen"
            unit={`of ${BATCHES}`}
            value={seen}
            standard={defaults.seen}
            least={0}
            most={BATCHES}
            step={1}
            parse={(text) => readInteger(text, 0, BATCHES)}
            onChange={(value) => set({ seen: value })}
          />
          <fieldset>
            <legend>Running statistics as in</legend>
            {conventions.map((name) => (
              <label class="check" key={name}>
                <input
                  type="radio"
                  name="convention"
                  checked={name === convention}
                  onChange={() => set({ convention: name })}
                />
                <span>
                  <b>{name}</b>: <span class="unit">{momentumNames[name]}</span>
                </span>
              </label>
            ))}
          </fieldset>
          <div class="scroll" role="region" aria-label="Conventions, table" tabIndex={0}>
            <table>
              <caption>After {seen} batches</caption>
              <thead>
                <tr>
                  <th scope="col">as in</th>
                  <th scope="col">mean</th>
                  <th scope="col">variance</th>
                  <th scope="col">y₁</th>
                </tr>
              </thead>
              <tbody>
                {conventions.map((name) => {
                  const at = paths[name][seen];
                  return (
                    <tr key={name} class={name === convention ? 'current' : undefined}>
                      <th scope="row">{name}</th>
                      <td>{show(at.mean)}</td>
                      <td>{show(at.variance)}</td>
                      <td class="q-y">{show(bothModes(neighbours, name, at).evaluation[0])}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
          <p class="note">
            {seen < 5
              ? 'After few batches the running statistics are still near 0 and 1, where they began: evaluation is wrong, not training.'
              : `Example 1 has x = ${PINNED} in every batch. In training, y₁ is ${show(training[0], 3)} among these neighbours; in evaluation it is ${show(evaluation[0], 3)} among all.`}
          </p>
        </div>
      </div>
    </Part>
  );
}

function TwoModes({
  x,
  training,
  evaluation,
  answers,
}: {
  readonly x: readonly number[];
  readonly training: readonly number[];
  readonly evaluation: readonly number[];
  readonly answers: readonly number[];
}): JSX.Element {
  const [ref, width] = useWidth(640);
  const range = [20, width - 20];
  const reach = Math.max(3, ...training.map(Math.abs), ...evaluation.map(Math.abs)) * 1.05;
  const yScale = scaleLinear([-reach, reach], range);
  const xScale = scaleLinear([TRUE_MEAN - 3.4 * TRUE_DEVIATION, TRUE_MEAN + 3.4 * TRUE_DEVIATION], range);
  const rows = [
    { name: 'y in training', of: 'y', values: training, scale: yScale, at: 46 },
    { name: 'x', of: 'x', values: x, scale: xScale, at: 128 },
    { name: 'y in evaluation', of: 'y', values: evaluation, scale: yScale, at: 210 },
  ] as const;
  return (
    <div class="figure" ref={ref}>
      <svg
        width={width}
        height={240}
        role="img"
        aria-label={`Example 1: y is ${show(training[0])} in training and ${show(evaluation[0])} in evaluation.`}
      >
        {x.map((_, i) => (
          <polyline
            key={i}
            class={i === 0 ? 'thread pinned' : 'thread'}
            points={rows.map(({ values, scale, at }) => `${scale(values[i])},${at}`).join(' ')}
          />
        ))}
        {rows.map(({ name, of, values, scale, at }) => (
          <NumberLine key={name} scale={scale} at={at} ticks={width < 420 ? 4 : 6}>
            <text class={`row-label q-${of}`} x={2} y={at - 26}>
              {name}
            </text>
            {values.map((value, i) => (
              <circle
                key={i}
                class={`place q-${of} ${i === 0 ? 'pinned' : ''}`}
                cx={scale(value)}
                cy={at}
                r={i === 0 ? 9 : 5}
              />
            ))}
            <text class="pin" x={scale(values[0])} y={at + 4} text-anchor="middle">
              1
            </text>
          </NumberLine>
        ))}
        {answers.length > 1 && (
          <text class="small" x={range[1]} y={14} text-anchor="end">
            | y₁ among {answers.length} sets of neighbours
          </text>
        )}
        {answers.length > 1 &&
          answers.map((value, k) => (
            <line key={k} class="answer" x1={yScale(value)} x2={yScale(value)} y1={20} y2={31} />
          ))}
      </svg>
    </div>
  );
}

/** A running statistic by batches, under the three conventions. */
function Path({
  title,
  value,
  truth,
  paths,
  seen,
  chosen,
}: {
  readonly title: string;
  readonly value: (running: Running) => number;
  readonly truth: number;
  readonly paths: Readonly<Record<Convention, readonly Running[]>>;
  readonly seen: number;
  readonly chosen: Convention;
}): JSX.Element {
  const [ref, width] = useWidth(310);
  const height = 170;
  const all = conventions.flatMap((name) => paths[name].map(value));
  const xScale = scaleLinear([0, BATCHES], [30, width - 62]);
  const yScale = scaleLinear([Math.min(0, ...all), Math.max(truth, ...all)], [height - 24, 26]).nice(4);
  const ends = [
    ...conventions.map((name) => ({ name, y: yScale(value(paths[name][BATCHES])) })),
    { name: 'true', y: yScale(truth) },
  ].sort((a, b) => a.y - b.y);
  ends.forEach((end, k) => {
    if (k > 0) end.y = Math.max(end.y, ends[k - 1].y + 15);
  });
  const names: readonly string[] = conventions;
  return (
    <div class="figure" ref={ref}>
      <svg width={width} height={height} role="img" aria-label={`${title}, under three conventions`}>
        <text class="chart-title" x={0} y={14}>
          {title}
        </text>
        {yScale.ticks(4).map((tick) => (
          <g key={tick}>
            <line class="tick" x1={30} x2={width - 62} y1={yScale(tick)} y2={yScale(tick)} />
            <text class="tick-label" x={24} y={yScale(tick) + 4} text-anchor="end">
              {show(tick)}
            </text>
          </g>
        ))}
        {xScale.ticks(4).map((tick) => (
          <text key={tick} class="tick-label" x={xScale(tick)} y={height - 8} text-anchor="middle">
            {tick}
          </text>
        ))}
        <line class="truth" x1={30} x2={width - 62} y1={yScale(truth)} y2={yScale(truth)} />
        <line class="axis" x1={xScale(seen)} x2={xScale(seen)} y1={22} y2={height - 24} />
        {conventions.map((name, k) => (
          <polyline
            key={name}
            class={`path path-${k} ${name === chosen ? 'chosen' : ''}`}
            points={paths[name].map((running, i) => `${xScale(i)},${yScale(value(running))}`).join(' ')}
          />
        ))}
        {ends.map(({ name, y }) => {
          const k = names.indexOf(name);
          return (
            <text key={name} class={`path-label ${k < 0 ? 'q-other' : `path-${k}`}`} x={width - 57} y={y + 4}>
              {name}
            </text>
          );
        })}
      </svg>
    </div>
  );
}
