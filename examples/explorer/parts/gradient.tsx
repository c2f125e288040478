import type { JSX } from 'preact';
import type { Column } from '../column/column.ts';
import type { PartProps } from '../page/page.tsx';
import { Part } from '../ui/part.tsx';
export function GradientPart({ column }: PartProps & { readonly column: Column }): JSX.Element {
  return (
    <Part id="gradient" number={2} question="Why does every dx change when I touch one g?">
      <p>{column.dx.join(' ')}</p>
    </Part>
  );
}
