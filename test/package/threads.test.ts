/** Threads of the packed library: in workers of the user's own, and in pages of Chromium, bundled and minified. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundlers, installPacked } from './bundles.ts';
import { chromiumPath } from '../chromium.ts';

/** What `train` returns. */
interface Trained {
  readonly threads: number;
  readonly threadsReason: string;
  readonly losses: readonly number[];
}

/** Trains on kernels that are large enough to be divided, with a number of threads or the default. */
const training = `
  import { BatchNorm1d, crossEntropy, Dense, deviceInfo, manualSeed, randn, ReLU, Sequential, SGD, useDevice } from 'gammabeta';
  async function train(threads, steps = 20) {
    if (threads) await useDevice('wasm', { threads });
    manualSeed(1);
    const model = new Sequential(new BatchNorm1d(784), new Dense(784, 100), new ReLU(), new Dense(100, 10));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = randn([64, 784]);
    const labels = Array.from({ length: 64 }, (_, i) => i % 10);
    const losses = [];
    for (let step = 0; step < steps; step++) {
      const loss = crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push((await loss.data())[0]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, 1000)); // until it is known which workers could not start
    const { threads: count, threadsReason } = deviceInfo();
    return { threads: count, threadsReason, losses };
  }`;

let folder: string;
let app: string;
/** The outcome of one thread, in Node. */
let expected: Trained;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-threads-'));
  app = installPacked(folder);
  expected = (await inNode(`${training} console.log(JSON.stringify(await train(1)));`)) as Trained;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in a process of its own, which has to end by itself. Returns what it prints, as JSON. */
async function inNode(program: string): Promise<unknown> {
  writeFileSync(join(app, 'program.mjs'), program);
  const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], {
    cwd: app,
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

it('eight workers of the user train side by side, with an instance of the library each', async () => {
  const program = `${training}
    import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
    if (isMainThread) {
      const all = Array.from({ length: 8 }, (_, k) => new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: k % 2 === 0 ? 0 : 2, env: {} });
        worker.once('message', resolve).once('error', reject);
      }));
      console.log(JSON.stringify(await Promise.all(all)));
    } else {
      parentPort.postMessage(await train(workerData));
    }`;
  const found = (await inNode(program)) as Trained[];
  expect(found).toHaveLength(8);
  found.forEach(({ threads, threadsReason, losses }, k) => {
    expect(losses).toEqual(expected.losses);
    expect(threads).toBe(k % 2 === 0 ? 1 : 2);
    expect(threadsReason).toMatch(k % 2 === 0 ? /worker thread/ : /threads is 2/);
  });
});

const strict =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'none'";

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  let server: Server;
  let browser: Browser;

  /** The query string gives the number of threads and of steps, and the headers: isolated, strict. */
  const program = `${training}
    const query = new URLSearchParams(location.search);
    globalThis.answer = null;
    train(Number(query.get('threads')), Number(query.get('steps'))).then((found) => { globalThis.answer = found; });`;

  beforeAll(async () => {
    for (const name of ['esbuild', 'vite', 'webpack'] as const)
      await bundlers[name](app, program, join(folder, name));
    server = createServer(({ url = '/' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://localhost');
      const script = pathname.endsWith('.js');
      if (script || searchParams.has('isolated')) {
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      }
      if (searchParams.has('strict')) response.setHeader('Content-Security-Policy', strict);
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
      if (!script) {
        response.end('<script type="module" src="program.js"></script>');
        return;
      }
      // Vite names its files from the root of the site.
      const file = join(folder, decodeURIComponent(pathname).replace(/^\/assets/, 'vite/assets'));
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
      args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  async function open(address: string): Promise<{ page: Page; messages: string[] }> {
    const page = await browser.newPage();
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${address}`);
    return { page, messages };
  }

  async function visit(address: string): Promise<{ found: Trained; workers: number; messages: string[] }> {
    const { page, messages } = await open(address);
    try {
      await page.waitForFunction(() => Reflect.get(globalThis, 'answer') !== null);
      const found = await page.evaluate(() => Reflect.get(globalThis, 'answer') as Trained);
      return {
        found,
        workers: page.workers().length,
        messages: messages.filter((text) => !text.includes('favicon')),
      };
    } finally {
      await page.close();
    }
  }

  function expectSameLosses({ losses }: Trained): void {
    expect(losses).toHaveLength(expected.losses.length);
    // Math.log differs between engines in the last digit.
    losses.forEach((loss, step) => expect(Math.abs(loss - expected.losses[step])).toBeLessThan(1e-5));
  }

  it.each(['esbuild', 'vite'])('an isolated page, bundled by %s, trains on two threads', async (bundler) => {
    const { found, workers, messages } = await visit(`${bundler}/?isolated&threads=2&steps=20`);
    expect(messages).toEqual([]);
    expect(found).toMatchObject({ threads: 2, threadsReason: 'threads is 2' });
    expect(workers).toBe(1);
    expectSameLosses(found);
    const { found: one } = await visit(`${bundler}/?isolated&threads=1&steps=20`);
    expect(found.losses).toEqual(one.losses);
  });

  it('a page that is not isolated trains on one thread, and says why', async () => {
    const { found, workers, messages } = await visit('esbuild/?threads=2&steps=20');
    expect(messages).toEqual([]);
    expect(found).toMatchObject({ threads: 1, threadsReason: 'the page is not cross-origin isolated' });
    expect(workers).toBe(0);
    expectSameLosses(found);
  });

  it.each(['vite', 'webpack'])(
    'a page whose policy allows only files, bundled by %s, trains on two threads',
    async (bundler) => {
      const { found, workers, messages } = await visit(`${bundler}/?isolated&strict&threads=2&steps=20`);
      expect(messages.filter((text) => !text.includes('blob:'))).toEqual([]); // the browser says what it refused first
      expect(found).toMatchObject({ threads: 2, threadsReason: 'threads is 2' });
      expect(workers).toBe(1);
      expectSameLosses(found);
    },
  );

  it('such a page without a file for the worker trains on one thread, and says why', async () => {
    const { found, messages } = await visit('esbuild/?isolated&strict&threads=2&steps=20');
    expect(found.threads).toBe(1);
    expect(found.threadsReason).toMatch(/worker-src blob:/);
    expect(messages.filter((text) => text.startsWith('wasm:'))).toEqual([
      expect.stringMatching(/^wasm: a worker thread ended or did not start: .*worker-src blob:/),
    ]);
    expectSameLosses(found);
  });

  it('a page may be closed while it trains', async () => {
    const { page } = await open('esbuild/?isolated&threads=2&steps=1e9');
    await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBe(1);
    await page.close();
    const { found } = await visit('esbuild/?isolated&threads=2&steps=20');
    expectSameLosses(found);
  });
});
