/** Times training steps in headless Chromium, in a page that is cross-origin isolated and so has threads. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { GammaBetaError } from '../src/index.ts';
import { chromiumPath } from './gpu/chromium.ts';
import type { ThreadTiming } from './thread-timing.ts';
import type { PageTask } from './threads-page.ts';

/** @throws {GammaBetaError} There is no Chromium. */
export async function timeInChromium(tasks: readonly PageTask[]): Promise<(readonly ThreadTiming[])[]> {
  if (chromiumPath === undefined) {
    throw new GammaBetaError('--chromium', 'Chromium was not found', 'set CHROMIUM to its path');
  }
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', file === undefined ? 'text/html' : 'text/javascript');
    response.end(file ?? '<!doctype html><script type="module" src="/threads-page.js"></script>');
  });
  const files = await bundle();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const args = ['--no-sandbox', '--no-first-run', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath: chromiumPath, args });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const timings: (readonly ThreadTiming[])[] = [];
    for (const task of tasks) {
      timings.push(
        await page.evaluate(
          (each) =>
            (Reflect.get(globalThis, 'timeStep') as (task: PageTask) => Promise<readonly ThreadTiming[]>)(
              each,
            ),
          task,
        ),
      );
    }
    return timings;
  } finally {
    await browser.close();
    server.close();
  }
}

/** The page's script, and what it loads later. */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const outdir = '/out';
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'threads-page.ts')],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    outdir,
  });
  return new Map(
    outputFiles.map(({ path, text }) => [path.slice(path.indexOf(outdir) + outdir.length), text]),
  );
}
