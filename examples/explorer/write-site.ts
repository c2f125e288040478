/** The folder of `npm run site`. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../src/index.ts';
import { labReport } from '../experiments/lab/report.ts';
import type { LabResults } from '../experiments/lab/results.ts';
import { writeReport } from '../experiments/report/page.tsx';
import { styleSheet } from '../experiments/report/style.ts';
import { bundle } from './bundle.ts';

const root = join(import.meta.dirname, '../..');

interface Options {
  /** The folder with reports of the user's experiments. It may be missing. */
  readonly reports?: string;
  /** Writes the reference of the API into a folder. */
  readonly reference?: (folder: string) => Promise<void>;
}

/**
 * Writes the explorer, the lab's results, the reports and the reference of the API into a folder. The folder is replaced
 * when all of it is ready; a failure changes nothing.
 *
 * @throws {DataError} The folder holds something other than a site.
 */
export async function writeSite(
  folder: string,
  { reports = join(root, 'reports'), reference = writeReference }: Options = {},
): Promise<void> {
  const present = await filesIn(folder);
  if (present.length > 0 && !['index.html', 'explorer.html', 'api'].every((name) => present.includes(name))) {
    throw new DataError(
      'site',
      `the folder ${folder} has other files: ${present.slice(0, 3).join(', ')}`,
      'name a new folder, or an earlier site, which is replaced',
    );
  }
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(join(dirname(folder), `${basename(folder)}-`));
  try {
    await bundle(made);
    const lab = await readFile(join(root, 'examples/experiments/results/lab.json'), 'utf8');
    await writeReport(join(made, 'lab.html'), labReport(JSON.parse(lab) as LabResults, made));
    await reference(join(made, 'api'));
    const links: Link[] = [
      ['explorer.html', 'The explorer: batch normalization, forward, backward and in training'],
      ['lab.html', 'The lab: claims about batch normalization, tested'],
      ['api/index.html', 'The reference of the API'],
    ];
    for (const name of await filesIn(reports)) {
      if (!name.endsWith('.html')) continue;
      await cp(join(reports, name), join(made, 'reports', name));
      links.push([`reports/${name}`, `A report of this machine: ${name}`]);
    }
    await writeFile(join(made, 'index.html'), startPage(links));
    await rm(folder, { recursive: true, force: true });
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new DataError('site', `${folder} is not a folder: ${code ?? String(error)}`, 'name a new folder');
  }
}

/** Writes the reference with TypeDoc, from the docstrings. */
async function writeReference(folder: string): Promise<void> {
  const { Application } = await import('typedoc');
  const app = await Application.bootstrap({
    options: join(root, 'src/typedoc.json'),
    out: folder,
    logLevel: 'Error',
  });
  const project = await app.convert();
  if (project === undefined) throw new TypeError('site: TypeDoc found errors in the sources');
  await app.generateOutputs(project);
}

type Link = readonly [address: string, text: string];

function startPage(links: readonly Link[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>gammabeta</title>
<style>${styleSheet()}</style>
<main class="wide"><h1>gammabeta</h1>
<ul>${links.map(([address, text]) => `<li><a href="${encodeURI(address)}">${text}</a></li>`).join('\n')}</ul></main>
</html>
`;
}
