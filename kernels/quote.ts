/** `npm run docs`: copies code of the kernels into the documents beside them, between marks such as `<!-- column -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A document, the name of its marks, and the Markdown between them. */
interface Quote {
  readonly document: string;
  readonly mark: string;
  readonly text: () => string;
}

export const quotes: readonly Quote[] = [
  { document: 'batchnorm.md', mark: 'column', text: () => code(region('batchnorm.ts', 'column')) },
  { document: 'layernorm.md', mark: 'row', text: () => code(region('layernorm.ts', 'row')) },
  { document: 'README.md', mark: 'loops', text: comparedLoops },
];

/** The text of a document, with its quotes as they are in the sources now. */
export function quoted(document: string): string {
  const text = readFileSync(join(import.meta.dirname, document), 'utf8');
  return quotes
    .filter((quote) => quote.document === document)
    .reduce((before, { mark, text: quote }) => {
      const between = new RegExp(`(?<=^<!-- ${mark} -->\\n).*(?=^<!-- /${mark} -->$)`, 'ms');
      if (!between.test(before)) throw new Error(`${document} has no marks <!-- ${mark} -->`);
      return before.replace(between, () => `\n${quote()}\n`);
    }, text);
}

/** The lines between `// #region name` and `// #endregion name`. */
function region(file: string, name: string): string {
  const found = new RegExp(`^// #region ${name}\\n(.*)^// #endregion ${name}$`, 'ms').exec(
    sourceOf(file),
  )?.[1];
  if (!found) throw new Error(`${file} has no region ${name}`);
  return found;
}

const code = (lines: string): string => `\`\`\`typescript\n${lines}\`\`\`\n`;
const sourceOf = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

/** The kernels of batch and of layer normalization that differ in their loops. */
const pairs = [
  ['colMean', 'rowMean'],
  ['colVariance', 'rowVariance'],
  ['normalize', 'normalizeRows'],
  ['batchnormDx', 'layernormDx'],
] as const;

/** The reference loops of each pair as a diff: − batch normalization, + layer normalization. */
function comparedLoops(): string {
  const blocks = pairs.map(([column, row]) => {
    const [before, after] = [loops('batchnorm.ts', column), loops('layernorm.ts', row)];
    if (before.length !== after.length)
      throw new Error(`${column} and ${row} have loops of different lengths`);
    const lines = before.flatMap((line, k) =>
      line === after[k] ? [`  ${line}`] : [`- ${line}`, `+ ${after[k]}`],
    );
    return [`@@ ${column}, ${row} @@`, ...lines].join('\n');
  });
  return `\`\`\`diff\n${blocks.join('\n')}\n\`\`\`\n`;
}

/** The lines of the reference of a kernel, without the indentation of its first line. */
function loops(file: string, kernel: string): string[] {
  const pattern = new RegExp(
    `^export const ${kernel}\\b.*?\\], \\[m, C[^\\n]*\\) => \\{\\n( +)(.*?)\\n *\\}(?:,|\\);)\\n`,
    'ms',
  );
  const [, indentation, body] = pattern.exec(sourceOf(file)) ?? [];
  if (!body) throw new Error(`${file} has no kernel ${kernel}`);
  return body.split(`\n${indentation}`);
}

if (process.argv[1] === import.meta.filename) {
  for (const document of new Set(quotes.map((quote) => quote.document))) {
    writeFileSync(join(import.meta.dirname, document), quoted(document));
  }
}
