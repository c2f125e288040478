/** The frame of a part: its question, a short text, and figures with their controls. */
import type { ComponentChildren, JSX } from 'preact';

interface Props {
  readonly id: string;
  readonly number: number;
  readonly question: string;
  readonly children: ComponentChildren;
}

export function Part({ id, number, question, children }: Props): JSX.Element {
  return (
    <section id={id} tabIndex={-1} aria-labelledby={`${id}-question`}>
      <h2 id={`${id}-question`}>
        <span class="number">{number}</span> {question}
      </h2>
      {children}
    </section>
  );
}
