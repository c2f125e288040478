/** `npm run docs`: copies the column form of batch normalization from `batchnorm.ts` into `batchnorm.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const document = join(import.meta.dirname, 'batchnorm.md');

/** The text of `batchnorm.md`, with the code between its `column` marks as it is in `batchnorm.ts`. */
export function quoteColumn(): string {
  const source = readFileSync(join(import.meta.dirname, 'batchnorm.ts'), 'utf8');
  const code = /^\/\/ #region column\n(.*)^\/\/ #endregion column$/ms.exec(source)?.[1];
  const marks = /(?<=^<!-- column -->\n).*(?=^<!-- \/column -->$)/ms;
  const text = readFileSync(document, 'utf8');
  if (!code || !marks.test(text)) throw new Error('batchnorm: the column form has lost its marks');
  return text.replace(marks, () => `\n\`\`\`typescript\n${code}\`\`\`\n\n`);
}

if (process.argv[1] === import.meta.filename) writeFileSync(document, quoteColumn());
