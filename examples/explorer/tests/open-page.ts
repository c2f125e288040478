/** Opens the built page in Chromium, and collects what it must not do: messages, errors and requests. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { bundle } from '../bundle.ts';

export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

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
  const browser = await chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
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
