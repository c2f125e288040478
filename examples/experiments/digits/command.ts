/** The command that shows the built-in digits. */
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

/** @param name The command as the user types it, for the help. */
export function digitsCommand(name: string): Command {
  return new Command(name)
    .description('Shows the built-in digits: ten in the terminal, two hundred in a picture.')
    .option('--seed <n>', 'seed of the digits', integerFrom(0), 1)
    .option('--png <file>', 'file of the picture', 'digits.png')
    .action((options: Options) => runCommand((signal) => run(options, signal)));
}

async function run({ seed, png }: Options, signal: AbortSignal): Promise<void> {
  await expectWritable('digits', png);
  console.log(`${blockLetters(seed)}\n`);
  const sheet = contactSheet(seed);
  signal.throwIfAborted();
  await writeAtomically(png, sheet);
  console.log(`Seed ${seed}: the first digit of each class above, and twenty of each class in\n${png}`);
}
