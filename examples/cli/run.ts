import { DataError, GammaBetaError } from '../../src/index.ts';

/**
 * Runs a command until it ends or Ctrl-C is pressed. A mistake of the user's is one line, with what to do;
 * anything else is a bug, and keeps its stack.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  try {
    await command(interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) {
      process.exitCode = 130;
    } else if (error instanceof GammaBetaError || error instanceof DataError) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
