/**
 * Writes a folder for any static host: the explorer, the lab's results, reports of your experiments, and the reference
 * of the API, from the docstrings.
 *
 *     npm run site -- [folder, default site]
 */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../experiments/cli/run.ts';
import { writeSite } from './write-site.ts';

await new Command('npm run site --')
  .description(
    'Writes the explorer, the results of the lab, your reports and the API reference into one folder.',
  )
  .argument('[folder]', 'where to write', join(import.meta.dirname, '../../site'))
  .action((folder: string) =>
    runCommand(async () => {
      await writeSite(resolve(folder));
      console.log(resolve(folder));
    }),
  )
  .parseAsync();
