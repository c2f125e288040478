/** `npm run docs`: brings the numbers of README.md up to date with `results`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteResults } from './readme-blocks.ts';
import { readResults } from './results.ts';

const readme = join(import.meta.dirname, 'README.md');

await writeFile(readme, await quoteResults(await readFile(readme, 'utf8'), readResults()));
