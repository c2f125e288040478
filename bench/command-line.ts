/** Shared by all commands of the benchmarks: Ctrl-C, user errors, options, and the line of progress. */
import { InvalidArgumentError } from 'commander';
import { GammaBetaError } from '../src/index.ts';

/** One Ctrl-C can arrive twice, from the terminal and from npm: a second signal within these milliseconds is ignored. */
const SAME_PRESS = 200;

/**
 * Runs a command. Ctrl-C aborts the signal that the command is given, and a second Ctrl-C ends the process at once. A
 * {@link GammaBetaError} is printed as one line; any other error is a bug and keeps its stack.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = new AbortController();
  let pressed = Infinity;
  process.on('SIGINT', () => {
    if (performance.now() - pressed > SAME_PRESS) process.exit(130);
    pressed = Math.min(pressed, performance.now());
    interrupt.abort(new Error('interrupted'));
  });
  process.env.GAMMABETA_THREADS ??= '1'; // what the committed results are of
  try {
    await command(interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) {
      console.error('\ninterrupted');
      process.exitCode = 130;
    } else if (error instanceof GammaBetaError) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}

/** A parser for commander: an integer that is at least `min`. */
export function integerFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Hint: pass an integer that is at least ${min}.`);
  };
}

/** Shows on a terminal what is measured now; the next line replaces it, and '' clears it. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}
