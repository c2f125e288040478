/** `npm run docs`: brings the picture and the numbers of the README up to date with `examples/results`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from '../mnist/results.ts';
import { mnistChart } from './chart.ts';
import { mnistTable, quoted } from './quotes.ts';

const readme = join(import.meta.dirname, '..', '..', 'README.md');

const mnist = JSON.parse(await readFile(join(import.meta.dirname, 'mnist.json'), 'utf8')) as Results;
await writeFile(join(import.meta.dirname, 'mnist.svg'), mnistChart(mnist));
await writeFile(readme, await quoted(await readFile(readme, 'utf8'), 'mnist', mnistTable(mnist)));
