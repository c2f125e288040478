import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from '../cli/write-atomically.ts';
import type { Report } from './model.ts';
import { renderPage } from './page.tsx';

/** Makes the folder, where it is missing, and never leaves half a file. */
export async function writeReport(file: string, report: Report): Promise<void> {
  const page = renderPage(report);
  await mkdir(dirname(file), { recursive: true });
  await writeAtomically(file, page);
}
