/**
 * Recomputes all committed results, and updates the documents that quote them:
 *
 *     npm run results -- --mnist DIR --cifar10 DIR
 *
 * It may take hours. After Ctrl-C or an error, the same command continues with the steps that are missing, and the lab
 * with the runs that are missing.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { runCommand } from './cli/run.ts';
import { makeResults, runProgram, type Folders } from './results/make.ts';

const root = join(import.meta.dirname, '../..');
const folders = new Command('npm run results --')
  .description(
    'Makes the committed results of MNIST, CIFAR-10 and the lab, and the documents that quote them. Takes hours, and says ' +
      'how long each step took. After Ctrl-C, the same command continues.',
  )
  .requiredOption('--mnist <dir>', 'folder with the four files of MNIST')
  .requiredOption('--cifar10 <dir>', 'folder with the files of CIFAR-10')
  .option('--fresh', 'begin again, also where an earlier command has finished', false)
  .parse()
  .opts<Folders>();

await runCommand(
  (signal) =>
    makeResults(folders, { root, state: join(root, 'reports/results.json'), run: runProgram, signal }),
  'interrupted. Hint: run the same command to continue',
);
