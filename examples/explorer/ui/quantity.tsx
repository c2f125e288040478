/** The symbols of the quantities, each in its colour. */
import type { ComponentChildren, JSX } from 'preact';

export type Quantity = 'x' | 'xhat' | 'y' | 'g' | 'dx' | 'gamma' | 'beta' | 'other';

export const symbols: Readonly<Record<Quantity, string>> = {
  x: 'x',
  xhat: 'x̂',
  y: 'y',
  g: 'g',
  dx: 'dx',
  gamma: 'γ',
  beta: 'β',
  other: '',
};

/** A symbol or a number in the colour of its quantity. */
export function Q({
  of,
  children,
}: {
  readonly of: Quantity;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return children === undefined ? (
    <i class={`q q-${of}`}>{symbols[of]}</i>
  ) : (
    <span class={`q q-${of}`}>{children}</span>
  );
}
