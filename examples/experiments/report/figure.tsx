import type { JSX } from 'preact';
import { tableOf } from './chart-table.ts';
import type { Figure } from './model.ts';
import { chartSvg } from './svg.ts';
import { TableView } from './table.tsx';
import { unbroken } from './numbers.ts';

interface Props {
  readonly figure: Figure;
  readonly id: string;
}

/** A chart with its title, its caption, and a table of its numbers. */
export function FigureView({ figure, id }: Props): JSX.Element {
  const { title, caption, chart } = figure;
  const [heading, words] = [`${id}-title`, `${id}-caption`];
  const { table, note } = tableOf(figure);
  const svg = chartSvg(chart, id, `${heading} ${words}`);
  return (
    <figure aria-labelledby={heading}>
      <h3 id={heading}>{title}</h3>
      <div dangerouslySetInnerHTML={{ __html: svg }} />
      <figcaption id={words}>{unbroken(caption)}</figcaption>
      <details>
        <summary>
          Table<span class="hidden">: {title}</span>
        </summary>
        {note !== null && <p class="note">{note}</p>}
        <TableView table={table} kind="numbers" />
      </details>
    </figure>
  );
}
