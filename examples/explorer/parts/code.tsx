/** Part 4: forward and backward, one kernel at a time, beside the repository's own text. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import sources from 'virtual:kernel-sources';
import type { Column } from '../column/column.ts';
import { exact, show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { Equation, Fraction, N, O, Root, S, Sum } from '../ui/math.tsx';
import { Part } from '../ui/part.tsx';
import { type Quantity, symbols } from '../ui/quantity.tsx';

/** The rows of the table, and the inputs. */
type Row =
  | 'x'
  | 'g'
  | 'gamma'
  | 'beta'
  | 'eps'
  | 'mean'
  | 'variance'
  | 'rstd'
  | 'xhat'
  | 'y'
  | 'dbeta'
  | 'dgamma'
  | 'dx';

interface Step {
  readonly kernel: string;
  readonly result: Row;
  readonly does: string;
  /** The rows that it reads; of the first kind, the value of the same example only. */
  readonly same: readonly Row[];
  readonly all: readonly Row[];
  readonly equation: (column: Column) => ComponentChildren;
}

const steps: readonly Step[] = [
  {
    kernel: 'colMean',
    result: 'mean',
    does: 'Forward: the mean of the column.',
    same: [],
    all: ['x'],
    equation: ({ x, mean }) => (
      <>
        <S>mean</S>
        <O>=</O>
        <Fraction
          over={<Sum values={x} each={(value) => <N of="x" value={value} term />} />}
          under={<N value={x.length} />}
        />
        <O>=</O>
        <N value={mean} />
      </>
    ),
  },
  {
    kernel: 'colVariance',
    result: 'variance',
    does: 'The mean square of the distances from the mean.',
    same: [],
    all: ['x', 'mean'],
    equation: ({ x, centered, variance }) => (
      <>
        <S>variance</S>
        <O>=</O>
        <Fraction
          over={
            <Sum
              values={centered}
              most={3}
              each={(value) => (
                <msup>
                  <N of="x" value={value} term />
                  <mn>2</mn>
                </msup>
              )}
            />
          }
          under={<N value={x.length} />}
        />
        <O>=</O>
        <N value={variance} />
      </>
    ),
  },
  {
    kernel: 'reciprocalStd',
    result: 'rstd',
    does: 'One over the standard deviation. ε keeps the root away from 0.',
    same: [],
    all: ['variance', 'eps'],
    equation: ({ variance, eps, rstd }) => (
      <>
        <S>rstd</S>
        <O>=</O>
        <Fraction
          over={<mn>1</mn>}
          under={
            <Root>
              <N value={variance} />
              <O>+</O>
              <N value={eps} />
            </Root>
          }
        />
        <O>=</O>
        <N value={rstd} />
      </>
    ),
  },
  {
    kernel: 'normalize',
    result: 'xhat',
    does: 'Each value less the mean, times rstd: mean 0, variance 1.',
    same: ['x'],
    all: ['mean', 'rstd'],
    equation: ({ x, mean, rstd, xhat }) => (
      <>
        <S of="xhat" sub="1" />
        <O>=</O>
        <mrow>
          <O>(</O>
          <N of="x" value={x[0]} />
          <O>−</O>
          <N value={mean} term />
          <O>)</O>
        </mrow>
        <O>·</O>
        <N value={rstd} />
        <O>=</O>
        <N of="xhat" value={xhat[0]} />
      </>
    ),
  },
  {
    kernel: 'scaleShift',
    result: 'y',
    does: 'The scale and the shift that the network learns.',
    same: ['xhat'],
    all: ['gamma', 'beta'],
    equation: ({ gamma, xhat, beta, y }) => (
      <>
        <S of="y" sub="1" />
        <O>=</O>
        <N of="gamma" value={gamma} />
        <O>·</O>
        <N of="xhat" value={xhat[0]} term />
        <O>+</O>
        <N of="beta" value={beta} term />
        <O>=</O>
        <N of="y" value={y[0]} />
      </>
    ),
  },
  {
    kernel: 'colSum',
    result: 'dbeta',
    does: 'Backward: β was added to every y, so its gradient is the sum of all g.',
    same: [],
    all: ['g'],
    equation: ({ g, dbeta }) => (
      <>
        <S>dbeta</S>
        <O>=</O>
        <Sum values={g} each={(value) => <N of="g" value={value} term />} />
        <O>=</O>
        <N of="beta" value={dbeta} />
      </>
    ),
  },
  {
    kernel: 'colDot',
    result: 'dgamma',
    does: 'γ multiplied every x̂, so its gradient is the sum of all g·x̂.',
    same: [],
    all: ['g', 'xhat'],
    equation: ({ g, xhat, dgamma }) => (
      <>
        <S>dgamma</S>
        <O>=</O>
        <Sum
          values={g}
          most={3}
          each={(value, i) => (
            <>
              <N of="g" value={value} term />
              <O>·</O>
              <N of="xhat" value={xhat[i]} term />
            </>
          )}
        />
        <O>=</O>
        <N of="gamma" value={dgamma} />
      </>
    ),
  },
  {
    kernel: 'batchnormDx',
    result: 'dx',
    does: 'g less its mean and less its part along x̂; what is left is scaled.',
    same: ['g', 'xhat'],
    all: ['gamma', 'rstd', 'dbeta', 'dgamma'],
    equation: ({ x, g, gamma, rstd, dbeta, dgamma, xhat, dx }) => (
      <>
        <S of="dx" sub="1" />
        <O>=</O>
        <N of="gamma" value={gamma} />
        <O>·</O>
        <N value={rstd} />
        <O>·</O>
        <mrow>
          <O>(</O>
          <N of="g" value={g[0]} />
          <O>−</O>
          <Fraction over={<N of="beta" value={dbeta} />} under={<N value={x.length} />} />
          <O>−</O>
          <N of="xhat" value={xhat[0]} term />
          <O>·</O>
          <Fraction over={<N of="gamma" value={dgamma} />} under={<N value={x.length} />} />
          <O>)</O>
        </mrow>
        <O>=</O>
        <N of="dx" value={dx[0]} />
      </>
    ),
  },
];

const colours: Readonly<Record<Row, Quantity>> = {
  x: 'x',
  g: 'g',
  gamma: 'gamma',
  beta: 'beta',
  eps: 'other',
  mean: 'other',
  variance: 'other',
  rstd: 'other',
  xhat: 'xhat',
  y: 'y',
  dbeta: 'beta',
  dgamma: 'gamma',
  dx: 'dx',
};

/** A number of the table: its row, and its example if the row has one value for each. */
interface Cell {
  readonly row: Row;
  readonly i: number;
}

export function CodePart({ state, set, column }: PartProps & { readonly column: Column }): JSX.Element {
  const step = steps[state.step];
  const [touched, touch] = useState<Cell | null>(null);
  const go = (to: number) => set({ step: Math.max(0, Math.min(steps.length - 1, to)) });
  const shown = (row: Row) => steps.findIndex(({ result }) => result === row) <= state.step;
  const isLit = ({ row, i }: Cell): boolean => {
    if (touched === null) return step.same.includes(row) || step.all.includes(row);
    const from = steps.find(({ result }) => result === touched.row);
    if (from === undefined) return false;
    return from.all.includes(row) || (from.same.includes(row) && i === touched.i);
  };
  const values = (row: Row): readonly number[] => {
    const value = column[row];
    return typeof value === 'number' ? [value] : value;
  };
  const m = column.x.length;
  const line = (row: Row, name: string) => {
    const numbers = values(row);
    const single = numbers.length === 1;
    return (
      <tr key={row} class={step.result === row ? 'current' : shown(row) ? undefined : 'later'}>
        <th scope="row" class={`q-${colours[row]}`}>
          {name}
        </th>
        {numbers.map((value, i) => (
          <td
            key={i}
            colSpan={single ? m : 1}
            tabIndex={step.result === row ? 0 : -1}
            class={`q-${colours[row]} ${isLit({ row, i }) ? 'lit' : ''} ${touched?.row === row && touched.i === i ? 'touched' : ''}`}
            onPointerEnter={() => touch({ row, i })}
            onPointerLeave={() => touch(null)}
            onFocus={() => touch({ row, i })}
            onBlur={() => touch(null)}
          >
            {exact(value)}{' '}
          </td>
        ))}
      </tr>
    );
  };
  return (
    <Part id="code" number={4} question="Which line of code is that?">
      <p>
        Eight loops are all of it, five forward and three backward. Go through them with the buttons or the
        arrow keys. Point at a number to see what it was computed from.
      </p>
      <div class="two">
        <div
          class="stepper"
          role="group"
          aria-label="Kernels, one at a time"
          tabIndex={0}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
            event.preventDefault();
            go(state.step + (event.key === 'ArrowRight' ? 1 : -1));
          }}
        >
          <div class="buttons">
            <button type="button" disabled={state.step === 0} onClick={() => go(state.step - 1)}>
              ← Back
            </button>
            <button
              type="button"
              disabled={state.step === steps.length - 1}
              onClick={() => go(state.step + 1)}
            >
              Next →
            </button>
            <ol class="dots" aria-label="Kernels">
              {steps.map(({ kernel, result }, k) => (
                <li key={kernel}>
                  <button
                    type="button"
                    aria-label={`${label(result)}, step ${k + 1}: ${kernel}`}
                    aria-current={k === state.step ? 'step' : undefined}
                    title={kernel}
                    onClick={() => go(k)}
                  >
                    {label(result)}
                  </button>
                </li>
              ))}
            </ol>
          </div>
          <p class="note" aria-live="polite">
            <b>{step.kernel}</b>. {step.does}
          </p>
          <Equation>{step.equation(column)}</Equation>
          <Source kernel={step.kernel} />
        </div>
        <div class="tables">
          <Scroll label="Inputs, table">
            <table>
              <caption>Inputs</caption>
              <tbody>
                {line('x', 'x')}
                {line('g', 'g')}
                <tr>
                  <th scope="row">
                    <span class="q-gamma">γ</span>, <span class="q-beta">β</span>, ε
                  </th>
                  <td colSpan={m}>
                    {(['gamma', 'beta', 'eps'] as const).map((row, k) => (
                      <span key={row} class={`q-${colours[row]} ${isLit({ row, i: 0 }) ? 'lit' : ''}`}>
                        {k > 0 && ', '}
                        {show(column[row])}
                      </span>
                    ))}
                  </td>
                </tr>
              </tbody>
            </table>
          </Scroll>
          <Scroll label="Numbers, table">
            <table>
              <caption>Numbers</caption>
              <tbody>{steps.map(({ result }) => line(result, result))}</tbody>
            </table>
          </Scroll>
        </div>
      </div>
    </Part>
  );
}

function label(row: Row): string {
  const marks: Partial<Record<Row, string>> = {
    mean: 'μ',
    variance: 'σ²',
    rstd: '1/σ',
    dbeta: 'dβ',
    dgamma: 'dγ',
  };
  return marks[row] ?? symbols[colours[row]];
}

/** A table that scrolls sideways where it is wider than the screen. */
function Scroll({
  label: name,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={name} tabIndex={0}>
      {children}
    </div>
  );
}

/** The declaration of a kernel, with the lines that compute lit. */
function Source({ kernel }: { readonly kernel: string }): JSX.Element {
  const { file, firstLine, lines, lit } = sources[kernel];
  const box = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    const first = box.current?.querySelector<HTMLElement>('.lit');
    if (box.current && first) box.current.scrollTop = first.offsetTop - 0.6 * box.current.clientHeight;
  }, [kernel]);
  return (
    <figure class="source">
      <figcaption>
        {file}, line {firstLine}
      </figcaption>
      <pre ref={box} tabIndex={0} aria-label={`Source of ${kernel}`}>
        <code>
          {lines.map((text, i) => (
            <span key={i} class={lit.includes(i) ? 'code-line lit' : 'code-line'}>
              {colour(text)}
              {'\n'}
            </span>
          ))}
        </code>
      </pre>
    </figure>
  );
}

const words: Readonly<Record<string, Quantity>> = {
  x: 'x',
  xhat: 'xhat',
  y: 'y',
  g: 'g',
  dx: 'dx',
  gamma: 'gamma',
  dgamma: 'gamma',
  beta: 'beta',
  dbeta: 'beta',
};

/** The names of the quantities in their colours, and comments in gray. */
function colour(text: string): ComponentChildren {
  if (/^\s*(?:\/?\*)/.test(text)) return <span class="comment">{text}</span>;
  return text.split(/\b(dgamma|dbeta|gamma|beta|xhat|dx|[xyg])\b(?!')/).map((part, k) =>
    k % 2 === 1 ? (
      <span key={k} class={`q-${words[part]}`}>
        {part}
      </span>
    ) : (
      part
    ),
  );
}
