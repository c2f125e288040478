import { GammaBetaError } from '../../../src/index.ts';

/** For every command: files are written completely or not at all. */
const AFTER_CTRL_C =
  'interrupted: all files that were written are complete. Hint: run the same command to start again';

/** Milliseconds in which a second signal is the same Ctrl-C: the terminal sends it, and a runner may pass it on. */
const SAME_PRESS = 200;

/**
 * Runs a command until it ends or Ctrl-C is pressed: then the signal is aborted, and the command ends as soon as it
 * heeds it. A second Ctrl-C waits for nothing. A mistake of the user's is one line, with what to do; anything else is a
 * bug, and keeps its stack.
 *
 * @param afterCtrlC the line that says so
 */
export async function runCommand(
  command: (signal: AbortSignal) => Promise<void>,
  afterCtrlC: string = AFTER_CTRL_C,
): Promise<void> {
  const interrupt = new AbortController();
  let pressed = Infinity;
  process.on('SIGINT', () => {
    if (performance.now() - pressed > SAME_PRESS) process.exit(130);
    pressed = Math.min(pressed, performance.now());
    interrupt.abort(new Error('interrupted'));
  });
  try {
    await command(interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) {
      console.error(`${process.stderr.isTTY ? '\n' : ''}${afterCtrlC}`); // where the terminal has written ^C
      process.exitCode = 130;
    } else if (error instanceof GammaBetaError) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
