/** Part 3: a batch of three values as one point in space, and of two in the plane. */
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { column, type Column } from '../column/column.ts';
import { show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { defaults } from '../page/state.ts';
import { useDrag } from '../ui/drag.ts';
import { Reset } from '../ui/fields.tsx';
import { Part } from '../ui/part.tsx';
import { Q } from '../ui/quantity.tsx';
import { useWidth } from '../ui/width.ts';

type Vector = readonly [number, number, number];
type Turn = readonly [yaw: number, pitch: number];

export function SpacePart({
  state,
  set,
  column: whole,
}: PartProps & { readonly column: Column }): JSX.Element {
  const { axes, turn } = state;
  const { x, g, gamma, beta, eps } = whole;
  const few = useMemo(() => {
    const first = (values: readonly number[], filler: number) =>
      Array.from({ length: axes }, (_, i) => values[i] ?? filler);
    return column({ x: first(x, 0), g: first(g, 0), gamma, beta, eps });
  }, [x, g, gamma, beta, eps, axes]);
  return (
    <Part id="space" number={3} question="Where is the third dimension?">
      <p>
        A batch of three values is one point <Q of="x" /> in space. Nothing changes if the batch is shifted,
        which is the direction <b>1</b>, or stretched, which is the direction <Q of="xhat" />. So{' '}
        <Q of="dx" /> has no part along either: one line is left for it, at a right angle to both. Turn the
        picture.
      </p>
      <div class="figure-and-controls">
        <Space column={few} turn={turn} setTurn={(next) => set({ turn: next })} />
        <div class="controls">
          <div class="buttons" role="group" aria-label="Size of the batch">
            <button type="button" aria-pressed={axes === 3} onClick={() => set({ axes: 3 })}>
              m = 3
            </button>
            <button type="button" aria-pressed={axes === 2} onClick={() => set({ axes: 2 })}>
              m = 2
            </button>
            <Reset
              label="Reset the view"
              idle={turn.join() === defaults.turn.join()}
              onClick={() => set({ turn: defaults.turn })}
            />
          </div>
          <dl class="facts">
            <Fact name="x" of="x" values={few.x} />
            <Fact name="x̂" of="xhat" values={few.xhat} />
            <Fact name="g" of="g" values={few.g} />
            <Fact name="dx" of="dx" values={few.dx} />
            <dt>dx · 1</dt>
            <dd>{show(rounded(sum(few.dx), few))}</dd>
            <dt>dx · x̂</dt>
            <dd>{show(rounded(sum(few.dx.map((value, i) => value * few.xhat[i])), few))}</dd>
          </dl>
          <p class="note">
            {axes === 3
              ? 'The first three values of the batch above; lengths are not to scale. The gray plane is spanned by 1 and x̂, and x lies in it. The dashed line, at a right angle to the plane, is all that is left for dx. dx · x̂ is not exactly 0 because of ε.'
              : 'In the plane, 1 and x̂ are all the directions there are, so almost nothing is left for dx. With batches of two, the layer before learns almost nothing.'}
          </p>
        </div>
      </div>
    </Part>
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** 0 for what rounding leaves. */
function rounded(value: number, { gamma, rstd, g }: Column): number {
  const scale = Math.abs(gamma * rstd) * Math.max(1e-300, ...g.map(Math.abs));
  return Math.abs(value) < 1e-13 * scale ? 0 : value;
}

function Fact({
  name,
  of,
  values,
}: {
  name: string;
  of: 'x' | 'xhat' | 'g' | 'dx';
  values: readonly number[];
}): JSX.Element {
  return (
    <>
      <dt>
        <Q of={of}>{name}</Q>
      </dt>
      <dd>
        <Q of={of}>({values.map((value) => show(value, 3)).join(', ')})</Q>
      </dd>
    </>
  );
}

function Space({
  column: few,
  turn,
  setTurn,
}: {
  readonly column: Column;
  readonly turn: Turn;
  readonly setTurn: (turn: Turn) => void;
}): JSX.Element {
  const [ref, width] = useWidth(640);
  const drag = useDrag();
  const start = useRef<Turn>(turn);
  const height = Math.min(430, Math.max(300, width * 0.66));
  const m = few.x.length;
  const center = [width / 2, height / 2] as const;
  const size = Math.min(width, height) * 0.42;
  const place = (v: Vector): readonly [number, number] => {
    const [right, up] = m === 2 ? v : project(v, turn);
    return [center[0] + size * right, center[1] - size * up];
  };
  const vector = (values: readonly number[]): Vector => [values[0], values[1], values[2] ?? 0];
  const length = (v: Vector) => Math.hypot(...v);
  const scaled = (v: Vector, to: number): Vector => {
    const by = length(v) === 0 ? 0 : to / length(v);
    return [v[0] * by, v[1] * by, v[2] * by];
  };
  const one: Vector = m === 2 ? [1, 1, 0] : [1, 1, 1];
  const xhat = vector(few.xhat);
  const [dx, g] = [vector(few.dx), vector(few.g)];
  const left = cross(one, xhat);
  const factor = Math.abs(few.gamma * few.rstd) || 1;
  const largest = Math.max(length(g), 1e-12);
  const arrows: readonly (readonly [name: string, label: string, to: Vector])[] = [
    ['q-other', '1', scaled(one, 0.95)],
    ['q-xhat', 'x̂', scaled(xhat, 0.95)],
    ['q-g', 'g', scaled(g, 0.8)],
    ['q-dx strong', 'dx', scaled(dx, Math.min(0.95, (0.8 * length(dx)) / (factor * largest)))],
  ];
  const turned = ([yaw, pitch]: Turn): Turn => [
    ((Math.round(yaw) % 360) + 360) % 360,
    Math.max(-90, Math.min(90, Math.round(pitch))),
  ];
  const names = ['x₁', 'x₂', 'x₃'].slice(0, m);
  return (
    <div class="figure" ref={ref}>
      <svg
        width={width}
        height={height}
        class={m === 3 ? 'handle touchable' : undefined}
        role="img"
        tabindex={m === 3 ? 0 : undefined}
        aria-label={
          m === 3
            ? 'Space of a batch of three values; arrow keys turn it'
            : 'Plane of a batch of two values: 1 and x̂ fill it'
        }
        {...(m === 3
          ? drag({
              begin: () => {
                start.current = turn;
              },
              move: (to, from) =>
                setTurn(
                  turned([
                    start.current[0] - (to.x - from.x) * 0.5,
                    start.current[1] + (to.y - from.y) * 0.5,
                  ]),
                ),
            })
          : {})}
        onKeyDown={(event) => {
          if (m !== 3) return;
          const by = event.shiftKey ? 50 : 5;
          const moves: Readonly<Record<string, Turn>> = {
            ArrowLeft: [by, 0],
            ArrowRight: [-by, 0],
            ArrowUp: [0, by],
            ArrowDown: [0, -by],
          };
          if (!(event.key in moves)) return;
          event.preventDefault();
          const [yaw, pitch] = moves[event.key];
          setTurn(turned([turn[0] + yaw, turn[1] + pitch]));
        }}
      >
        {names.map((name, k) => {
          const unit: Vector = [k === 0 ? 1 : 0, k === 1 ? 1 : 0, k === 2 ? 1 : 0];
          const [from, to, beyond] = [place(scaled(unit, -1)), place(unit), place(scaled(unit, 1.1))];
          return (
            <g key={name}>
              <line class="tick" x1={from[0]} y1={from[1]} x2={to[0]} y2={to[1]} />
              <text class="small" x={beyond[0]} y={beyond[1] + 4} text-anchor="middle">
                {name}
              </text>
            </g>
          );
        })}
        {m === 3 && length(left) > 0 && (
          <Line from={place(scaled(left, -1.05))} to={place(scaled(left, 1.05))} />
        )}
        {m === 3 && length(left) > 0 && (
          <Plane
            corners={[
              [1, 1],
              [-1, 1],
              [-1, -1],
              [1, -1],
            ].map(([a, b]) => place(add(scaled(one, 0.75 * a), scaled(xhat, 0.75 * b))))}
          />
        )}
        {length(vector(few.x)) > 0 && <Point at={place(scaled(vector(few.x), 0.7))} name="x" />}
        {arrows.map(([name, label, to]) => (
          <Arrow3 key={label} name={name} label={label} from={center} to={place(to)} />
        ))}
      </svg>
    </div>
  );
}

function Line({ from, to }: { from: readonly [number, number]; to: readonly [number, number] }): JSX.Element {
  return (
    <g>
      <line class="left-over" x1={from[0]} y1={from[1]} x2={to[0]} y2={to[1]} />
    </g>
  );
}

function Plane({ corners }: { corners: readonly (readonly [number, number])[] }): JSX.Element {
  return <polygon class="plane" points={corners.map((corner) => corner.join(',')).join(' ')} />;
}

function Point({ at: [x, y], name }: { at: readonly [number, number]; name: string }): JSX.Element {
  return (
    <g class="q-x">
      <circle class="place" cx={x} cy={y} r={6} />
      <text class="vector-label" x={x + 13} y={y - 7} text-anchor="middle">
        {name}
      </text>
    </g>
  );
}

/** An arrow in the picture, with its name at the tip. */
function Arrow3({
  name,
  label,
  from,
  to,
}: {
  name: string;
  label: string;
  from: readonly [number, number];
  to: readonly [number, number];
}): JSX.Element {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  if (length < 1.5) return <circle class={`place ${name}`} cx={from[0]} cy={from[1]} r={4} />;
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(11, length);
  const [bx, by] = [to[0] - ux * head, to[1] - uy * head];
  return (
    <g class={`arrow ${name}`}>
      <line x1={from[0]} y1={from[1]} x2={bx} y2={by} />
      <path
        d={`M${to[0]} ${to[1]} L${bx - uy * head * 0.5} ${by + ux * head * 0.5} L${bx + uy * head * 0.5} ${by - ux * head * 0.5} z`}
      />
      <text class="vector-label" x={to[0] + ux * 14} y={to[1] + uy * 14 + 5} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}

/** The coordinates to the right and upwards, seen from a direction in degrees. x₃ points up. */
function project([a, b, c]: Vector, [yaw, pitch]: Turn): readonly [number, number] {
  const [t, p] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
  const right = a * Math.cos(t) - b * Math.sin(t);
  const back = a * Math.sin(t) + b * Math.cos(t);
  return [right, c * Math.cos(p) + back * Math.sin(p)];
}

function cross([a, b, c]: Vector, [d, e, f]: Vector): Vector {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function add([a, b, c]: Vector, [d, e, f]: Vector): Vector {
  return [a + d, b + e, c + f];
}
