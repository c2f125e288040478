import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from 'vitest/config';
import { firstOfMnist, trainInNode } from './test/browser/node-commands.ts';
import { chromiumPath as chromium, softwareGpu } from './test/chromium.ts';
import { exampleModules } from './test/docs/example-modules.ts';
import { LongestFirst } from './test/longest-first.ts';

/**
 * The tests run on one thread, because several test files run at a time. GAMMABETA_THREADS=2 runs them on two, with the
 * same results.
 */
const env = { GAMMABETA_THREADS: process.env.GAMMABETA_THREADS ?? '1' };

/** For one test, in milliseconds. Few take more than 10 seconds alone, but other files and programs run at the same time. */
const testTimeout = 60_000;

const node: TestProjectConfiguration = {
  plugins: [exampleModules()],
  test: {
    name: 'node',
    include: ['{test,bench,examples}/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/package/**'],
    setupFiles: ['test/setup.ts'],
    isolate: false, // starting a process takes a second, so files share them; see test/setup.ts
    env,
    testTimeout,
  },
};

/** Laws of training on two threads, and that tensors keep their values. */
const threads: TestProjectConfiguration = {
  test: {
    name: 'threads',
    include: [
      'test/laws/{determinism,training}.test.ts',
      'test/training/{fit,training-trace,what-counts}.test.ts',
      'test/tensor/device/wasm/wasm-models.test.ts',
    ],
    setupFiles: ['test/setup.ts', 'test/threads.ts'],
    env: { GAMMABETA_THREADS: '2' },
    testTimeout,
  },
};

/** Tests of the package as users install it. It is built and packed once, before the first of them. */
const packed: TestProjectConfiguration = {
  test: {
    name: 'package',
    include: ['test/package/**/*.test.ts'],
    globalSetup: ['test/package/build.ts'],
    env,
    testTimeout,
    hookTimeout: 120_000,
  },
};

/** Tests of `test/` that hold on any device, and run on the GPU in the browser: see `test/on-devices.ts`. */
const onEveryDevice = [
  'test/laws/{kernels,least-epsilon,zero-rows}.test.ts',
  'test/kernels/{matmul,softmax,special-values,special-values-everywhere}.test.ts',
  'test/**/*-goldens.test.ts',
  'test/layers/{bce-with-logits,cross-entropy,cross-entropy-mse,huber}.test.ts',
  'test/optim/{clip-grad-norm,portable-math,schedules}.test.ts',
  'test/training/training-trace.test.ts',
];

const browser = (executablePath: string): TestProjectConfiguration => ({
  optimizeDeps: { include: ['gpu.js', 'fast-check'] },
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts', ...onEveryDevice],
    setupFiles: ['test/browser/setup.ts'],
    testTimeout: 120_000,
    provide: { seed: process.env.CI ? 20150211 : Date.now() % 2 ** 31 },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      // One page at a time. The option that replaces this one would also run all pages after everything else.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      fileParallelism: false,
      commands: { firstOfMnist, trainInNode },
      provider: playwright({
        launchOptions: {
          executablePath,
          args: [
            '--no-sandbox',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            ...softwareGpu,
          ],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});

if (chromium === undefined) {
  const missing = 'no Chromium was found. Hint: apt-get install chromium, or set CHROMIUM to its path.';
  if (process.env.CI) throw new Error(`browser suite: ${missing}`);
  console.warn(`\nbrowser suite SKIPPED: ${missing}\n`);
}

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: availableParallelism(), // the default leaves a core unused
    sequence: { sequencer: LongestFirst },
    projects: [node, threads, packed, ...(chromium === undefined ? [] : [browser(chromium)])],
    reporters: ['default', './test/summary-reporter.ts'],
  },
});

export default config;
