/**
 * The library in a real page: packed, bundled, minified, and run under a strict content security policy, in the page
 * and in a worker, on every device.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, bundlers, installPacked, loadedAtOnce } from './bundles.ts';
import { softwareGpu, windowedChromiumPath as chromiumPath } from '../chromium.ts';
import { type Trained, training } from './training-program.ts';

/** The query string names the device and says whether a worker trains. Errors are returned as the answer. */
const program = `${training}
  const query = new URLSearchParams(location.search);
  const answer = train(query.get('device')).catch((error) => ({ error: String(error) }));
  if (typeof document === 'undefined') {
    answer.then(postMessage);
  } else if (query.has('worker')) {
    const worker = new Worker('program.js' + location.search, { type: 'module' });
    worker.onmessage = ({ data }) => { globalThis.answer = data; };
  } else {
    answer.then((found) => { globalThis.answer = found; });
  }`;

/** No inline scripts, no eval, no other origins, no data: URLs; compiling WebAssembly is allowed. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'none'";

let folder: string;
let app: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-app-'));
  app = installPacked(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a program that trains without a GPU', () => {
  it('loads less than 50 kB compressed, with both builds of the kernels, without gpu.js and layers that it does not use', async () => {
    const { metafile } = await bundle({
      stdin: { contents: `${training} train().then(console.log);`, resolveDir: app },
      outdir: join(folder, 'small'),
      absWorkingDir: folder,
    });
    const loaded = loadedAtOnce(metafile);
    const modules = loaded.flatMap((path) => Object.keys(metafile.outputs[path].inputs));
    expect(
      modules.filter((path) => /gpu\.js|gpu\/sources\.generated|layernorm|groupnorm/.test(path)),
    ).toEqual([]);
    expect(Object.keys(metafile.inputs).some((path) => path.includes('gpu.js'))).toBe(true); // a separate chunk, loaded on demand
    const bytes = loaded.map((path) => gzipSync(readFileSync(join(folder, path))).length);
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(50_000);
  });
});

describe.skipIf(chromiumPath === undefined)('in Chromium under a strict content policy', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    for (const [name, build] of Object.entries(bundlers)) await build(app, program, join(folder, name));
    server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://localhost');
      const script = pathname.endsWith('.js');
      response.setHeader('Content-Security-Policy', policy);
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
      response.end(
        script
          ? readFileSync(join(folder, decodeURIComponent(pathname)))
          : '<script type="module" src="program.js"></script>',
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
      args: [
        '--no-sandbox',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        ...softwareGpu,
      ],
    });
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** A page trains on a software GPU within this time, in milliseconds, on a busy machine too. */
  const PATIENCE = 55_000;

  /** The answer of a page. Fails if the page prints anything except the message about the missing favicon. */
  async function visit(address: string): Promise<Trained> {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${address}`);
      await page.waitForFunction(() => 'answer' in globalThis, undefined, { timeout: PATIENCE });
      const answer = await page.evaluate(() => Reflect.get(globalThis, 'answer') as Trained);
      expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
      return answer;
    } finally {
      await page.close();
    }
  }

  const pages = new Map<string, Promise<Trained>>();
  /** The answer of the page on the default device. */
  function byDefault(bundler: string): Promise<Trained> {
    const answer = pages.get(bundler) ?? visit(`${bundler}/?page`);
    pages.set(bundler, answer);
    return answer;
  }

  /** The devices to try by name, and where. */
  const everywhere = ['cpu', 'wasm', 'webgl', 'webgpu'].flatMap((device) => [
    [device, 'page'],
    [device, 'worker'],
  ]);
  const gpuInPage = [
    ['webgl', 'page'],
    ['webgpu', 'page'],
  ];
  const trials: readonly [bundler: keyof typeof bundlers, places: string[][]][] = [
    ['esbuild', everywhere],
    ['vite', gpuInPage],
    ['webpack', gpuInPage],
    ['no bundler', gpuInPage],
  ];

  describe.each(trials)('bundled by %s', (bundler, places) => {
    it.each(['page', 'worker'])('trains in the %s, on wasm by default', async (where) => {
      const { device, losses } = await (where === 'page' ? byDefault(bundler) : visit(`${bundler}/?worker`));
      expect(device).toBe('wasm');
      expect(losses[29]).toBeLessThan(losses[0] / 4);
    });

    it.each(places)('trains on %s in the %s, to the same losses', async (device, where) => {
      const expected = await byDefault(bundler);
      const found = await visit(`${bundler}/?${where}&device=${device}`);
      expect(found).toMatchObject({ device });
      if (device.startsWith('webg')) expect(found.adapter).toMatch(/swiftshader/i);
      found.losses.forEach((loss, step) => expect(Math.abs(loss - expected.losses[step])).toBeLessThan(1e-3));
    });
  });
});
