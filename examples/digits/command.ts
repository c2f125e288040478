/** The command line that shows the built-in digits. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { DataError } from '../../src/index.ts';
import { blockLetters } from './block-letters.ts';
import { contactSheet } from './contact-sheet.ts';
import { integerFrom } from '../cli/options.ts';
import { expectWritable } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';

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
  await writeWhole(png, sheet);
  console.log(`Seed ${seed}: the first digit of each class is above, and twenty of each are in\n${png}`);
}

/** Writes beside the place first, so that there is never half a picture. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, file);
  } catch (cause) {
    await rm(unfinished, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError('digits', `cannot write ${file}: ${why}`, 'name another file', { cause });
  }
}
