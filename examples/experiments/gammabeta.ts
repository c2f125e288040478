#!/usr/bin/env node
/** The command `gammabeta` of the package, with one subcommand for each experiment. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { DataError } from '../../src/index.ts';
import { explorerCommand } from '../explorer/command.ts';
import { cifar10Command } from './cifar10/command.ts';
import { digitsCommand } from './digits/command.ts';
import { exportCommand } from './export/command.ts';
import { labCommand } from './lab/command.ts';
import { mnistCommand } from './mnist/command.ts';
import packageJson from '../../package.json' with { type: 'json' };

const program = new Command('gammabeta')
  .description('Experiments with batch normalization, in plain TypeScript.')
  .version(packageJson.version)
  .showHelpAfterError('Hint: gammabeta --help lists the commands')
  .addCommand(mnistCommand('mnist'))
  .addCommand(cifar10Command('cifar10'))
  .addCommand(labCommand('lab'))
  .addCommand(digitsCommand('digits'))
  .addCommand(exportCommand('export'))
  .addCommand(explorerCommand('explore', page));

/** The page, which the package contains. */
async function page(): Promise<string> {
  const file = join(import.meta.dirname, '../explorer.html');
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new DataError(
      'explore',
      `there is no file ${file}`,
      'in a clone of the repository, use npm run explorer',
    );
  }
}

const given = process.argv.slice(2);
await program.parseAsync(given.length === 0 ? ['--help'] : given, { from: 'user' });
