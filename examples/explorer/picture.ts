/**
 * Takes the picture of the page that the README shows.
 *
 *     tsx examples/explorer/picture.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { launchChromium } from './chromium.ts';

const file = join(import.meta.dirname, 'explorer.png');
const folder = mkdtempSync(join(tmpdir(), 'gammabeta-explorer-'));
const browser = await launchChromium();
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
