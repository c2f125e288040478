/** Writes results. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a value as indented JSON, with each array of numbers on one line. The text goes to a temporary file that is
 * then renamed, so an interrupted run never leaves half a file.
 */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, 1).replaceAll(
    /\[\n\s*(-?\d[-+\d.e,\s]*?)\n\s*\]/g,
    (_, numbers: string) => `[${numbers.replaceAll(/\s+/g, ' ')}]`,
  );
  const temporary = `${file}.${process.pid}.tmp`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(temporary, `${text}\n`);
  await rename(temporary, file);
}
