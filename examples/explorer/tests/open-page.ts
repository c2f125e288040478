/** Opens the built page in Chromium, and collects what it must not do: messages, errors and requests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { bundle } from '../bundle.ts';
import { launchChromium } from '../chromium.ts';

export interface Explorer {
  readonly file: string;
  readonly gzipped: number;
  readonly browser: Browser;
  readonly open: (hash?: string, options?: BrowserContextOptions) => Promise<Opened>;
  readonly close: () => Promise<void>;
}

export interface Opened {
  readonly page: Page;
  /** Messages on the console, errors, and requests other than the page itself. */
  readonly problems: string[];
}

export async function startExplorer(): Promise<Explorer> {
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-explorer-'));
  const { file, gzipped } = await bundle(folder);
  const browser = await launchChromium();
  const open = async (hash = '', options: BrowserContextOptions = {}): Promise<Opened> => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    page.setDefaultTimeout(20_000);
    const problems: string[] = [];
    page.on('console', (message) => problems.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(`file://${file}`)) {
        problems.push(`request: ${request.url()}`);
      }
    });
    await page.goto(`file://${file}${hash}`);
    await page.locator('#claims').waitFor();
    return { page, problems };
  };
  return {
    file,
    gzipped,
    browser,
    open,
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}
