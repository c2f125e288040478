import type { JSX } from 'preact';
import type { Confusion } from './model.ts';
import { formatNumber, unbroken } from './numbers.ts';

/** A confusion matrix: darker cells hold more of their row. The diagonal, which is correct, has another colour. */
export function ConfusionView({ confusion }: { readonly confusion: Confusion }): JSX.Element {
  const { caption, classes, counts } = confusion;
  return (
    <figure class="card">
      <figcaption>{unbroken(caption)}</figcaption>
      <div class="scroll tall" role="region" aria-label={caption} tabIndex={0}>
        <table class="confusion">
          <caption class="hidden">{caption}</caption>
          <thead>
            <tr>
              <td class="corner">
                true class ↓<br />
                prediction →
              </td>
              {classes.map((name) => (
                <th scope="col">{name.length > 2 ? <span class="upright">{name}</span> : name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {counts.map((row, i) => (
              <Row heading={classes[i]} row={row} right={i} />
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

interface RowProps {
  readonly heading: string;
  readonly row: readonly number[];
  /** The index of the cell on the diagonal. */
  readonly right: number;
}

function Row({ heading, row, right }: RowProps): JSX.Element {
  const sum = row.reduce((total, count) => total + count, 0);
  return (
    <tr>
      <th scope="row">{heading}</th>
      {row.map((count, j) => (
        <td
          class={j === right ? 'right' : count === 0 ? 'none' : ''}
          style={`--share: ${sum === 0 ? 0 : Number((count / sum).toFixed(3))}`}
        >
          {formatNumber(count)}
        </td>
      ))}
    </tr>
  );
}
