/** Equations in MathML. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { show } from '../page/format.ts';
import { type Quantity, symbols } from './quantity.tsx';

interface Children {
  readonly children: ComponentChildren;
}

/**
 * An equation on a line of its own; `then` goes on below it where the screen is narrow. Where a line is still wider than
 * the screen, it scrolls, and the keyboard can reach it.
 */
export function Equation({ children, then }: Children & { readonly then?: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const follow = () => {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute('tabindex');
    };
    const observer = new ResizeObserver(follow);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <div class="equation" ref={box}>
      <math display="block">
        <mrow>{children}</mrow>
      </math>
      {then !== undefined && (
        <math display="block">
          <mrow>{then}</mrow>
        </math>
      )}
    </div>
  );
}

/** A symbol, in the colour of its quantity, with an index if there is one. */
export function S({
  of,
  sub,
  children,
}: Partial<Children> & { readonly of?: Quantity; readonly sub?: string }): JSX.Element {
  const name = <mi class={of && `q-${of}`}>{children ?? (of && symbols[of])}</mi>;
  return sub === undefined ? (
    name
  ) : (
    <msub>
      {name}
      <mi class={of && `q-${of}`}>{sub}</mi>
    </msub>
  );
}

/** A number, in parentheses if it is negative and `term` is set. */
export function N({
  of,
  value,
  term = false,
}: {
  readonly of?: Quantity;
  readonly value: number;
  readonly term?: boolean;
}): JSX.Element {
  const number = <mn class={of && `q-${of}`}>{show(value)}</mn>;
  return term && value < 0 && show(value) !== '0' ? (
    <mrow>
      <mo>(</mo>
      {number}
      <mo>)</mo>
    </mrow>
  ) : (
    number
  );
}

export function O({ children }: Children): JSX.Element {
  return <mo>{children}</mo>;
}

export function Fraction({
  over,
  under,
}: {
  readonly over: ComponentChildren;
  readonly under: ComponentChildren;
}): JSX.Element {
  return (
    <mfrac>
      <mrow>{over}</mrow>
      <mrow>{under}</mrow>
    </mfrac>
  );
}

export function Root({ children }: Children): JSX.Element {
  return <msqrt>{children}</msqrt>;
}

/** The terms of a sum over a batch: all of up to `most`, or the first ones and the last one. */
export function Sum({
  values,
  most = 4,
  each,
}: {
  readonly values: readonly number[];
  readonly most?: number;
  readonly each: (value: number, i: number) => ComponentChildren;
}): JSX.Element {
  const shown = values.map((value, i) => ({ value, i }));
  const left = shown.length > most ? shown.slice(0, most - 2) : shown;
  const last = shown.length > most ? shown.slice(-1) : [];
  return (
    <>
      {left.map(({ value, i }) => (
        <>
          {i > 0 && <O>+</O>}
          {each(value, i)}
        </>
      ))}
      {last.map(({ value, i }) => (
        <>
          <O>+</O>
          <mi>…</mi>
          <O>+</O>
          {each(value, i)}
        </>
      ))}
    </>
  );
}
