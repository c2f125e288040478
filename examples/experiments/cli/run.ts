import { GammaBetaError } from '../../../src/index.ts';

/** The default message after Ctrl-C. */
const AFTER_CTRL_C =
  'interrupted: all files that were written are complete. Hint: run the same command to start again';

/** A second signal within this many milliseconds is the same Ctrl-C, sent by the terminal and forwarded by npm. */
const SAME_PRESS = 200;

/**
 * Runs a command. Ctrl-C aborts the signal, so that the command can end cleanly; a second Ctrl-C exits at once. An error
 * of the library, which is a mistake of the user, is printed as one line; any other error is a bug and keeps its stack.
 *
 * @param afterCtrlC The message after Ctrl-C.
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
      console.error(`${process.stderr.isTTY ? '\n' : ''}${afterCtrlC}`); // a terminal has printed ^C before
      process.exitCode = 130;
    } else if (error instanceof GammaBetaError) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
