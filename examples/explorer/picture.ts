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
import { takePicture } from './take-picture.ts';

const file = join(import.meta.dirname, 'explorer.png');
const folder = mkdtempSync(join(tmpdir(), 'gammabeta-explorer-'));
const browser = await launchChromium();
try {
  await takePicture(browser, (await bundle(folder)).file, file);
  console.log(file);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
