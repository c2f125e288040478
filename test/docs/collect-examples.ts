import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root: string = join(import.meta.dirname, '..', '..');

/** A code example of the documentation. */
export interface Example {
  /** Its file and line. */
  readonly title: string;
  readonly code: string;
  /** The output that the comment after each `console.log(…); // …` states. */
  readonly expected: readonly string[];
}

/**
 * All examples: the ```ts blocks of the README and the guides, and each `@example` of the sources, which is a ```ts
 * block or one line such as `@example tensor([1, 2]).neg().toArray() // [ -1, -2 ]`.
 */
export function collectExamples(): readonly Example[] {
  const guides = ['README.md', 'CONTRIBUTING.md', ...markdownIn('kernels')];
  return [...guides, ...sourcesIn('src'), ...sourcesIn('kernels')].flatMap(examplesIn);
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function examplesIn(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  const lineOf = (index: number) => `${file}:${text.slice(0, index).split('\n').length}`;
  const blocks = [...text.matchAll(/^[ *]*```ts\n(?<body>[\s\S]*?)^[ *]*```$/gm)].map((block) => {
    const { body = '' } = block.groups ?? {};
    const code = file.endsWith('.ts') ? body.replaceAll(/^ *\* ?/gm, '') : body;
    const claims = code.matchAll(/console\.log\(.*\);\s*\/\/ (?<printed>.*)$/gm);
    const expected = [...claims].map((claim) => claim.groups?.printed ?? '');
    return { title: lineOf(block.index), code, expected };
  });
  const source = file.endsWith('.ts') ? text : '';
  const lines = [...source.matchAll(/@example (?<code>\S.*) \/\/ (?<printed>.*?)(?: \*\/)?$/gm)].map(
    (line) => {
      const { code = '', printed = '' } = line.groups ?? {};
      const whole = `import { tensor } from 'gammabeta';\nconsole.log(${code});\n`;
      return { title: lineOf(line.index), code: whole, expected: [printed] };
    },
  );
  return [...blocks, ...lines];
}
