import { rename, rm, writeFile } from 'node:fs/promises';

/** Writes beside the place first, so that there is never half a file; nothing is left of a failure. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
