/** `npm run bench`: kernels and training steps; see README.md. */
import { Command } from 'commander';
import { runCommand } from './command-line.ts';
import { runSuites, type SuiteName, type SuiteOptions } from './suites.ts';

const program = new Command('bench').description(
  'Validates, and times. Without a command: kernels and step.',
);

function suite(name: string, suites: readonly SuiteName[], description: string, isDefault = false): void {
  program
    .command(name, { isDefault })
    .description(description)
    .option('--json <file>', 'write the results to a file too')
    .option('--filter <text>', "only what has this in its line, such as 'matmul 32x784' or 'step bn'", '')
    .option('--quick', 'a look, not a measurement', false)
    .option(
      '--device <name>',
      'for training: the name of a device, or auto; cpu: the references alone',
      'wasm',
    )
    .action((options: SuiteOptions) => runCommand((signal) => runSuites(suites, options, signal)));
}

suite('all', ['kernels', 'step'], 'kernels and step', true);
suite('kernels', ['kernels'], 'every kernel and fusion, in all forms, against measured ceilings');
suite('step', ['step'], 'a training step of both networks of examples/mnist, at three batches');
suite('scaling', ['scaling'], 'the cost of training against batch and width, with exponents');
program.command('peers', 'gammabeta beside other libraries: see bench/peers', {
  executableFile: 'peers/main.ts',
});

await program.parseAsync();
