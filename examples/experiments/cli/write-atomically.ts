import { rename, rm, writeFile } from 'node:fs/promises';
import { DataError } from '../../../src/index.ts';

/**
 * Writes beside the place first, so that there is never half a file; nothing is left of a failure.
 *
 * @throws {DataError} It cannot be written: the disk is full, for example.
 */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, content);
    await rename(unfinished, file);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined); // the first error says more
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError('write', `${file} cannot be written: ${why}`, 'make room, or name another place', {
      cause,
    });
  }
}
