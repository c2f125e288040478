/**
 * Takes the picture of the page that the README shows.
 *
 *     tsx examples/explorer/picture.ts
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { bundle } from './bundle.ts';

const file = join(import.meta.dirname, 'explorer.png');
const chromiumPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);
const folder = mkdtempSync(join(tmpdir(), 'gammabeta-explorer-'));
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
try {
  const { file: page } = await bundle(folder);
  const view = await browser.newPage({ viewport: { width: 1160, height: 820 } });
  await view.goto(`file://${page}#x=1,2,4,9&g=1,-0.5,0,1.5&gamma=1.5&paths=direct,mean`);
  await view.locator('#gradient').screenshot({ path: file });
  console.log(file);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
