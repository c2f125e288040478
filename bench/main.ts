/** `npm run bench`: times kernels and training steps; see README.md. */
import { Command } from 'commander';
import { type CheckoutOptions, compareCheckouts } from './checkouts.ts';
import { integerFrom, runCommand } from './command-line.ts';
import { runSuites, type SuiteName, type SuiteOptions } from './suites.ts';

const program = new Command('bench').description('Without a command: kernels and step.');

function suite(name: string, suites: readonly SuiteName[], description: string): Command {
  return program
    .command(name, { isDefault: name === 'all' })
    .description(description)
    .option('--json <file>', 'also write the results to a file')
    .option('--filter <text>', "only lines that contain this, such as 'matmul 32x784' or 'step bn'", '')
    .option('--quick', 'a rough look instead of a measurement', false)
    .option('--device <name>', 'the device that trains, or auto; cpu times only the references', 'wasm')
    .option('--threads <n>', 'threads of the device wasm that trains (default: 1)', integerFrom(1))
    .action((options: SuiteOptions) => runCommand((signal) => runSuites(suites, options, signal)));
}

suite('all', ['kernels', 'step'], 'kernels and step');
suite('kernels', ['kernels'], 'every kernel and fusion, in all forms, against measured ceilings');
suite('step', ['step'], 'a training step of two networks, and its parts')
  .alias('steps')
  .option('--against <folder>', 'instead, time steps in turns with another checkout of the project')
  .option('--pairs <n>', 'with --against: pairs of processes (default: 5; 1 with --quick)', integerFrom(1))
  .action((options: SuiteOptions & Partial<CheckoutOptions>) =>
    runCommand((signal) => {
      const { against } = options;
      if (against === undefined) return runSuites(['step'], options, signal);
      return compareCheckouts({ ...options, against }, signal);
    }),
  );
suite('scaling', ['scaling'], 'the cost of training against batch and width, with exponents');
program.command('threads', 'kernels and steps with one thread and with others, in turns', {
  executableFile: 'threads.ts',
});
program.command('peers', 'gammabeta and other libraries: see bench/peers', {
  executableFile: 'peers/main.ts',
});

await program.parseAsync();
