/** `npx tsx examples/results/draw-digits.ts`: draws `digits.png`, the picture of the built-in digits. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contactSheet } from './contact-sheet.ts';

await writeFile(join(import.meta.dirname, 'digits.png'), contactSheet());
