/** `npm run docs`: writes the tables of README.md from the files in `results`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteResults } from './readme-blocks.ts';
import { readResults } from './results.ts';

const readme = join(import.meta.dirname, 'README.md');

await writeFile(readme, await quoteResults(await readFile(readme, 'utf8'), readResults()));
