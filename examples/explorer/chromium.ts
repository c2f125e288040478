/** The Chromium of this machine, for tests of the pages and reports, and for the picture of the explorer. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright';

/** The path of the program; undefined if none was found. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium-headless-shell', // without windows: half of the CPU time
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

/** Starts Chromium without features that make requests of their own. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
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
}
