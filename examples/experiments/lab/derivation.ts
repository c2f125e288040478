/** Links from the claims into `kernels/batchnorm.md`, which derives what they rest on. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Headings of that document, without their numbers. */
export type DerivationSection =
  | 'What is computed'
  | 'From six equations to three terms'
  | 'Reading it'
  | 'Running statistics and inference';

const file = join(import.meta.dirname, '../../../kernels/batchnorm.md');

/** The address of a section for a document in `folder`; null in the installed package, which lacks the file. */
export function addressOf(section: DerivationSection, folder: string): string | null {
  if (!existsSync(file)) return null;
  const path = relative(folder, file).replaceAll('\\', '/');
  return `${path}#${anchorOf(readFileSync(file, 'utf8'), section)}`;
}

/** The anchor that GitHub gives a heading: `## 5. Reading it` → `5-reading-it`. */
function anchorOf(markdown: string, section: DerivationSection): string {
  const headings = Array.from(markdown.matchAll(/^##+ (.+)$/gm), ([, heading]) => heading);
  const found = headings.find((heading) => heading.replace(/^\d+\. /, '') === section);
  if (found === undefined)
    throw new RangeError(`derivation: kernels/batchnorm.md has no section "${section}"`);
  return found
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}
