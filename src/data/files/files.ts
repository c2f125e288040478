import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../errors.ts';

/** What someone does to a file or a folder, for messages: the function's name, and what to do when it fails. */
export interface Reader {
  readonly op: string;
  readonly hint: string;
}

/**
 * The bytes of a file, decompressed. Whether to gunzip is seen from the bytes: some programs decompress a download
 * and leave its name.
 *
 * @param most refuses to decompress to more bytes than this
 */
export async function readContents({ op, hint }: Reader, path: string, most?: number): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return isGzip(bytes) ? await decompressed(bytes, most) : bytes;
  } catch (cause) {
    throw new DataError(op, `${path} cannot be read: ${reasonOf(cause)}`, hint, { cause });
  }
}

function decompressed(bytes: Uint8Array, most: number | undefined): Promise<Uint8Array> {
  return promisify(gunzip)(bytes, most === undefined ? {} : { maxOutputLength: most });
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The names of what is in a folder and is no folder itself: some unpackers make one for each file. */
export async function namesIn({ op, hint }: Reader, dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    throw new DataError(op, `the folder ${dir} cannot be read: ${reasonOf(cause)}`, hint, { cause });
  }
}

/** Says which file or part it was that a check refused. */
export function naming<T>(op: string, what: string, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(op, `${what}: ${cause.problem}`, cause.hint, { cause });
  }
}

/** The values of promises; the failure of the first in the order of the list, not in time: the same each time. */
export async function allInOrder<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** `ENOSPC` and the like, of an error of the system's. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
