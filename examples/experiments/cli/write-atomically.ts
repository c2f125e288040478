import { rename, rm, writeFile } from 'node:fs/promises';
import { DataError } from '../../../src/index.ts';

/**
 * Writes a temporary file and renames it, so that the file is never incomplete. After an error, no temporary file remains.
 *
 * @throws {DataError} The file cannot be written: the disk is full, for example.
 */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, content);
    await rename(unfinished, file);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined); // the first error is reported
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      'write',
      `${file} cannot be written: ${why}`,
      'free disk space, or choose another path',
      {
        cause,
      },
    );
  }
}
