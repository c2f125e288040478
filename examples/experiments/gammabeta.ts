#!/usr/bin/env node
/** The command `gammabeta` of the package, with one subcommand for each experiment. */
import { Command } from 'commander';
import { cifar10Command } from './cifar10/command.ts';
import { digitsCommand } from './digits/command.ts';
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
  .addCommand(digitsCommand('digits'));

const given = process.argv.slice(2);
await program.parseAsync(given.length === 0 ? ['--help'] : given, { from: 'user' });
