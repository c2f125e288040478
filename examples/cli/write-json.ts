import { rename, rm, writeFile } from 'node:fs/promises';

/** Writes beside the place first, so that there is never half a file; nothing is left of a failure. */
export async function writeJson(
  file: string,
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, `${JSON.stringify(value, replacer, 1)}\n`);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
