/** A horizontal number line. */
import type { ScaleLinear } from 'd3-scale';
import type { ComponentChildren, JSX } from 'preact';
import { show } from '../page/format.ts';

interface Props {
  readonly scale: ScaleLinear<number, number>;
  /** The height of the line in the picture. */
  readonly at: number;
  readonly ticks?: number;
  readonly children?: ComponentChildren;
}

export function NumberLine({ scale, at, ticks = 5, children }: Props): JSX.Element {
  const [left, right] = scale.range();
  return (
    <g>
      <line class="axis" x1={left} x2={right} y1={at} y2={at} />
      {scale.ticks(ticks).map((tick) => (
        <g key={tick} transform={`translate(${scale(tick)} ${at})`}>
          <line class={tick === 0 ? 'axis' : 'tick'} y1={tick === 0 ? -7 : -4} y2={tick === 0 ? 7 : 4} />
          <text class="tick-label" y={20} text-anchor="middle">
            {show(tick)}
          </text>
        </g>
      ))}
      {children}
    </g>
  );
}
