/** `npm run docs`: updates the pictures and tables of the documents from `examples/experiments/results`. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from '../cifar10/comparison.ts';
import { labDocument, labPictures, labVerdicts } from '../lab/document.ts';
import { mapTable } from '../lab/map.ts';
import type { LabResults } from '../lab/results.ts';
import type { Results } from '../mnist/results.ts';
import { cifar10Chart, mnistChart } from './chart.ts';
import { cifar10Table, hasBlock, mnistTable, quoted } from './quotes.ts';

const here = import.meta.dirname;
const results = async (file: string) => JSON.parse(await readFile(join(here, file), 'utf8')) as unknown;

const mnist = (await results('mnist.json')) as Results;
const cifar10 = (await results('cifar10.json')) as Comparison;
const lab = (await results('lab.json')) as LabResults;
await writeFile(join(here, 'mnist.svg'), mnistChart(mnist));
await writeFile(join(here, 'cifar10.svg'), cifar10Chart(cifar10));
await rm(join(here, 'lab'), { recursive: true, force: true });
await mkdir(join(here, 'lab'));
for (const [file, picture] of labPictures(lab)) await writeFile(join(here, 'lab', file), picture);

const blocks = {
  mnist: mnistTable(mnist),
  cifar10: cifar10Table(cifar10),
  map: mapTable({ lab, mnist, cifar10 }),
  lab: labDocument(lab),
  verdicts: labVerdicts(lab, 'examples/experiments/lab/README.md'),
};
for (const document of ['../../../README.md', '../cifar10/README.md', '../lab/README.md']) {
  const file = join(here, document);
  const before = await readFile(file, 'utf8');
  let text = before;
  for (const [name, content] of Object.entries(blocks))
    if (hasBlock(text, name)) text = await quoted(text, name, content);
  if (text !== before) await writeFile(file, text);
}
