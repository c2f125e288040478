/** The command line that shows the built-in digits. */
import { Command } from 'commander';
import { blockLetters } from './block-letters.ts';
import { contactSheet } from './contact-sheet.ts';
import { integerFrom } from '../cli/options.ts';
import { expectWritable } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';
import { writeAtomically } from '../cli/write-atomically.ts';

interface Options {
  readonly seed: number;
  readonly png: string;
}

/** `name`: how the user calls it. */
export function digitsCommand(name: string): Command {
  return new Command(name)
    .description('Shows the built-in digits: ten of them here, two hundred in a picture.')
    .option('--seed <n>', 'which digits', integerFrom(0), 1)
    .option('--png <file>', 'where the picture goes', 'digits.png')
    .action((options: Options) => runCommand((signal) => run(options, signal)));
}

async function run({ seed, png }: Options, signal: AbortSignal): Promise<void> {
  await expectWritable('digits', png);
  console.log(`${blockLetters(seed)}\n`);
  const sheet = contactSheet(seed);
  signal.throwIfAborted();
  await writeAtomically(png, sheet);
  console.log(`Seed ${seed}: the first digit of each class is above, and twenty of each are in\n${png}`);
}
