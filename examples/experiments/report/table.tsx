import type { JSX } from 'preact';
import type { Table } from './model.ts';

interface Props {
  readonly table: Table;
  /** `numbers`: cells are right-aligned and not wrapped. `words`: text may be wrapped. */
  readonly kind: 'numbers' | 'words';
}

const startsAsNumber = /^[−–-]?\d|^–?$/;

/** A table that scrolls if it is too wide, also with the keyboard. The visible caption is outside, so it does not scroll. */
export function TableView({ table: { caption, head, rows }, kind }: Props): JSX.Element {
  const numbers = head.map((_, column) =>
    column > 0 && rows.every((row) => startsAsNumber.test(row[column])) ? 'number' : undefined,
  );
  return (
    <div class={kind === 'words' ? 'scroll tall' : 'scroll'} role="region" aria-label={caption} tabIndex={0}>
      <table class={kind}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {head.map((name, column) =>
              name === '' ? (
                <td />
              ) : (
                <th scope="col" class={numbers[column]}>
                  {name}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(([heading, ...cells]) => (
            <tr>
              <th scope="row">{heading}</th>
              {cells.map((cell, i) => (
                <td class={numbers[i + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
