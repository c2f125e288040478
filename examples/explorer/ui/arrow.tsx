/** A horizontal arrow; short arrows have small heads. */
import type { JSX } from 'preact';

export function Arrow({
  x,
  y,
  length,
  name,
}: {
  readonly x: number;
  readonly y: number;
  readonly length: number;
  /** Its class. */
  readonly name: string;
}): JSX.Element | null {
  const size = Math.abs(length);
  if (size < 0.5) return null;
  const head = Math.min(8, size);
  const sign = Math.sign(length);
  const tip = x + length;
  return (
    <g class={`arrow ${name}`}>
      <line x1={x} x2={tip - sign * head * 0.7} y1={y} y2={y} />
      <path d={`M${tip} ${y} l${-sign * head} ${-head * 0.6} v${1.2 * head} z`} />
    </g>
  );
}
