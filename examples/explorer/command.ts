/** The command that serves the page on a loopback address. */
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { integerFrom } from '../experiments/cli/options.ts';
import { runCommand } from '../experiments/cli/run.ts';
import { serve } from './serve.ts';

interface Options {
  readonly port: number;
  readonly open?: boolean;
}

/**
 * @param name The command as the user types it, for the help.
 * @param page Makes or finds the page.
 */
export function explorerCommand(name: string, page: () => Promise<string>): Command {
  return new Command(name)
    .description('Serves a page that shows batch normalization at work, forward, backward and in training.')
    .option('--port <n>', 'port of the address; 0 takes any free one', integerFrom(0, 65535), 4173)
    .option('--open', 'open the page in the browser')
    .action(({ port, open = false }: Options) =>
      runCommand(async (signal) => {
        const html = await page();
        const { address, closed } = await serve(html, port, signal);
        console.log(`${address}\nCtrl-C ends it.`);
        if (open) openInBrowser(address);
        await closed;
        signal.throwIfAborted();
      }, 'the page is no longer served'),
    );
}

/** Opens the page in the user's browser. If that fails, the user can open the printed address. */
function openInBrowser(address: string): void {
  const [program, ...before] = { darwin: ['open'], win32: ['cmd', '/c', 'start'] }[
    process.platform as string
  ] ?? ['xdg-open'];
  spawn(program, [...before, address], { stdio: 'ignore', detached: true })
    .on('error', () => console.error(`No browser could be opened. Hint: open ${address} yourself.`))
    .unref();
}
