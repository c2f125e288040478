/**
 * The explorer: a page that shows batch normalization at work.
 *
 *     npm run explorer -- [--port 4173] [--open]
 *
 * Builds the page into `dist/explorer.html` and serves it on a loopback address. The file also works on its own.
 */
import { readFile } from 'node:fs/promises';
import { bundle } from './bundle.ts';
import { explorerCommand } from './command.ts';

await explorerCommand('npm run explorer --', async () =>
  readFile((await bundle()).file, 'utf8'),
).parseAsync();
