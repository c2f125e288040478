import type { JSX } from 'preact';
import { ConfusionView } from './confusion.tsx';
import { tableOf } from './chart-table.ts';
import type { Block, Figure, Paragraph, Section, Verdict } from './model.ts';
import { SamplesView } from './samples.tsx';
import { chartSvg } from './svg.ts';
import { TableView } from './table.tsx';
import { unbroken } from './numbers.ts';

interface Props {
  readonly section: Section;
  /** The prefix of all ids in the section. */
  readonly id: string;
}

export function SectionView({ section: { heading, text = [], verdict, blocks }, id }: Props): JSX.Element {
  return (
    <section id={id} aria-labelledby={`${id}-heading`}>
      <div class="title">
        <h2 id={`${id}-heading`}>{heading}</h2>
        {verdict !== undefined && <VerdictView verdict={verdict} />}
      </div>
      {text.map((paragraph) => (
        <ParagraphView paragraph={paragraph} />
      ))}
      {grouped(blocks).map((group) => (
        <div class={group[0].block.kind === 'confusion' ? 'confusions' : undefined}>
          {group.map(({ block, at }) => (
            <BlockView block={block} id={`${id}-${at + 1}`} />
          ))}
        </div>
      ))}
    </section>
  );
}

function ParagraphView({ paragraph }: { readonly paragraph: Paragraph }): JSX.Element {
  if (typeof paragraph === 'string') return <p>{unbroken(paragraph)}</p>;
  const { text, see } = paragraph;
  return (
    <p>
      {unbroken(text)} <a href={see.href}>{see.text}</a>
    </p>
  );
}

interface Placed {
  readonly block: Block;
  readonly at: number;
}

/** Consecutive confusion matrices form a group, shown side by side if there is room. */
function grouped(blocks: readonly Block[]): Placed[][] {
  const groups: Placed[][] = [];
  blocks.forEach((block, at) => {
    const last = groups.at(-1);
    if (block.kind === 'confusion' && last?.[0].block.kind === 'confusion') last.push({ block, at });
    else groups.push([{ block, at }]);
  });
  return groups;
}

const signs: Record<Verdict, string> = { supported: '✓', mixed: '≈', 'not supported': '✗' };

function VerdictView({ verdict }: { readonly verdict: Verdict }): JSX.Element {
  return (
    <span class={`verdict ${verdict.replace(' ', '-')}`}>
      <span aria-hidden="true">{signs[verdict]}</span>
      {verdict}
    </span>
  );
}

function BlockView({ block, id }: { readonly block: Block; readonly id: string }): JSX.Element {
  switch (block.kind) {
    case 'figures':
      return (
        <div class={block.figures.length === 2 || block.figures.length === 4 ? 'figures pairs' : 'figures'}>
          {block.figures.map((figure, i) => (
            <FigureView figure={figure} id={`${id}-${i + 1}`} />
          ))}
        </div>
      );
    case 'table':
      return (
        <figure class="card">
          <figcaption>{unbroken(block.table.caption)}</figcaption>
          <TableView table={block.table} kind="words" />
        </figure>
      );
    case 'confusion':
      return <ConfusionView confusion={block.confusion} />;
    case 'samples':
      return <SamplesView samples={block.samples} />;
  }
}

/** A chart with its title, its caption, and a table of its numbers. */
function FigureView({ figure, id }: { readonly figure: Figure; readonly id: string }): JSX.Element {
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
