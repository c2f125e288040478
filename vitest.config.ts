import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from 'vitest/config';
import { trainInNode } from './test/browser/train-in-node.ts';
import { chromiumPath as chromium } from './test/chromium.ts';
import { exampleModules } from './test/docs/example-modules.ts';

const node: TestProjectConfiguration = {
  plugins: [exampleModules()],
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
  },
};

const browser = (executablePath: string): TestProjectConfiguration => ({
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      commands: { trainInNode },
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
    projects: chromium === undefined ? [node] : [node, browser(chromium)],
    reporters: ['default', './test/summary-reporter.ts'],
  },
});

export default config;
