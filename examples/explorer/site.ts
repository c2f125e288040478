/**
 * Writes a folder for any static host: the explorer, the lab's results, reports of your experiments, and the reference
 * of the API, from the docstrings.
 *
 *     npm run site -- [folder, default site]
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Application } from 'typedoc';
import { labReport } from '../experiments/lab/report.ts';
import type { LabResults } from '../experiments/lab/results.ts';
import { styleSheet } from '../experiments/report/style.ts';
import { writeReport } from '../experiments/report/page.tsx';
import { bundle } from './bundle.ts';

const root = join(import.meta.dirname, '../..');
const folder = resolve(process.argv[2] ?? join(root, 'site'));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

await bundle(folder);
const lab = JSON.parse(
  readFileSync(join(root, 'examples/experiments/results/lab.json'), 'utf8'),
) as LabResults;
await writeReport(join(folder, 'lab.html'), labReport(lab, folder));

const links: [address: string, text: string][] = [
  ['explorer.html', 'The explorer: batch normalization, forward, backward and in training'],
  ['lab.html', 'The lab: claims about batch normalization, tested'],
  ['api/index.html', 'The reference of the API'],
];
const reports = join(root, 'reports');
for (const name of existsSync(reports) ? readdirSync(reports) : []) {
  if (!name.endsWith('.html')) continue;
  cpSync(join(reports, name), join(folder, 'reports', name));
  links.push([`reports/${name}`, `A report of this machine: ${name}`]);
}

const app = await Application.bootstrap({
  options: join(root, 'typedoc.json'),
  out: join(folder, 'api'),
  logLevel: 'Error',
});
const project = await app.convert();
if (project === undefined) throw new Error('site: TypeDoc found errors in the sources');
await app.generateOutputs(project);

writeFileSync(
  join(folder, 'index.html'),
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>gammabeta</title>
<style>${styleSheet()}</style>
<main class="wide"><h1>gammabeta</h1>
<ul>${links.map(([address, text]) => `<li><a href="${address}">${text}</a></li>`).join('\n')}</ul></main>
</html>
`,
);
console.log(folder);
