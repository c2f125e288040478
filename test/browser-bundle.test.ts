/** The library as a page gets it: bundled and minified, under a strict content policy, on the page and in a worker. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from './chromium.ts';

const program = `
  import { BatchNorm1d, crossEntropy, Dense, deviceInfo, manualSeed, ReLU, Sequential, SGD, tensor } from './src/index.ts';
  manualSeed(1);
  const model = new Sequential(new Dense(2, 8, { bias: false }), new BatchNorm1d(8), new ReLU(), new Dense(8, 2));
  const optimizer = new SGD(model.parameters(), { lr: 0.5 });
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const losses = Array.from({ length: 30 }, () => {
    const loss = crossEntropy(model.forward(x), [0, 1, 1, 0]);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  const found = { device: deviceInfo().device, first: losses[0], last: losses.at(-1) };
  if (typeof document === 'undefined') {
    postMessage(found);
  } else {
    globalThis.page = found;
    const worker = new Worker('/program.js', { type: 'module' });
    worker.onmessage = ({ data }) => { globalThis.worker = data; };
  }`;

interface Found {
  readonly device: string;
  readonly first: number;
  readonly last: number;
}

/** No inline scripts, no eval, nothing from elsewhere, no data: addresses; WebAssembly may be compiled. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'none'";

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
  });
  return outputFiles[0].text;
}

let script: string;
beforeAll(async () => {
  script = await bundled();
});

describe('a bundle that trains', () => {
  it('is below 40 kB, compressed, both builds of the kernels included', () => {
    expect(gzipSync(script).length).toBeLessThan(40_000);
  });
});

describe.skipIf(chromiumPath === undefined)('in Chromium under a strict content policy', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = createServer(({ url }, response) => {
      response.setHeader('Content-Security-Policy', policy);
      response.setHeader('Content-Type', url === '/program.js' ? 'text/javascript' : 'text/html');
      response.end(url === '/program.js' ? script : '<script type="module" src="/program.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
      args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
  });

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  it.each(['page', 'worker'])('trains in the %s, on wasm', async (where) => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction((name) => name in globalThis, where);
    const found = await page.evaluate((name) => Reflect.get(globalThis, name) as Found, where);
    await page.close();
    expect(found.device).toBe('wasm');
    expect(found.last).toBeLessThan(found.first / 4);
    expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
  });
});
