import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../data-error.ts';
import { isGzip } from '../signatures.ts';

/** Parts of the error message if a file or folder cannot be read: the user's function, and the hint. */
export interface Reader {
  readonly op: string;
  readonly hint: string;
}

/**
 * The contents of a file, decompressed if its bytes are gzip. The name does not matter: some programs decompress a
 * download and keep its name.
 *
 * @param most the largest number of decompressed bytes that is accepted
 */
export async function readContents({ op, hint }: Reader, path: string, most?: number): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    if (!isGzip(bytes)) return bytes;
    return await promisify(gunzip)(bytes, most === undefined ? {} : { maxOutputLength: most });
  } catch (cause) {
    throw new DataError(op, `${path} cannot be read: ${reasonOf(cause)}`, hint, { cause });
  }
}

/** The names of the files in a folder, without its folders: some programs unpack each file into a folder of its name. */
export async function namesIn({ op, hint }: Reader, dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    throw new DataError(op, `the folder ${dir} cannot be read: ${reasonOf(cause)}`, hint, { cause });
  }
}

/** Runs a check; if it throws a {@link DataError}, adds the name of the file or part to the message. */
export function naming<T>(op: string, what: string, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(op, `${what}: ${cause.problem}`, cause.hint, { cause });
  }
}

/** The SHA-256 checksum in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The message of an error. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
