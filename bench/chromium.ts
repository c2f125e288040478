/** Opens pages in headless Chromium that are cross-origin isolated, so that libraries can use threads. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright';
import { GammaBetaError } from '../src/index.ts';
import { bundleForPage, type PageFiles } from './page-files.ts';

/** The path of Chromium: from the environment variable CHROMIUM, or the system's. Undefined if it is not installed. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

/** Flags with which Chromium starts on any machine and does nothing in the background. */
export const quietFlags: readonly string[] = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface IsolatedPage {
  /** `Chromium 156.0.8078.79, headless, cross-origin isolated`. */
  readonly browser: string;
  /** Loads the page again, with fresh memory and without the workers that it has started. */
  readonly reload: () => Promise<void>;
  /** Calls a function that the script has assigned to `globalThis`. Argument and result are JSON. */
  readonly call: <Result>(name: string, argument: object) => Promise<Result>;
  readonly close: () => Promise<void>;
}

/**
 * Opens a page that runs the script `page`.
 *
 * @param scripts The paths of the scripts by their names. `page` can import the script `name` as `/name.js`.
 * @throws {GammaBetaError} There is no Chromium.
 * @throws {Error} The script fails, or the page is not cross-origin isolated.
 */
export async function openIsolatedPage(
  scripts: Readonly<Record<string, string>> & { readonly page: string },
): Promise<IsolatedPage> {
  if (chromiumPath === undefined) {
    const hint = 'apt-get install chromium, or set CHROMIUM to its path';
    throw new GammaBetaError('--chromium', 'no Chromium was found', hint);
  }
  const server = await serveIsolated(await bundleForPage(scripts));
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...quietFlags] });
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    let failure: Error | null = null;
    page.on('pageerror', (error) => (failure ??= error));
    const reload = async () => {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      if (failure !== null) throw failure;
      if (!(await page.evaluate<boolean>('crossOriginIsolated'))) {
        throw new Error('the page is not cross-origin isolated');
      }
    };
    await reload();
    return {
      browser: `Chromium ${browser.version()}, headless, cross-origin isolated`,
      reload,
      call: (name, argument) => page.evaluate(callGlobal, { name, argument }) as Promise<never>,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs in the page. */
function callGlobal({ name, argument }: { readonly name: string; readonly argument: object }): unknown {
  return (Reflect.get(globalThis, name) as (argument: object) => unknown)(argument);
}

/** Serves the files, only to this machine, with the headers that isolate a page. */
async function serveIsolated(files: PageFiles): Promise<Server> {
  const server = createServer(({ url = '' }, response) => {
    const file = files.get(url);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (url === '/') {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      );
    } else if (file === undefined) {
      response.writeHead(404).end();
    } else {
      response.setHeader('Content-Type', url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript');
      response.end(file);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
