import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DataError } from '../data-error.ts';
import { isGzip } from '../signatures.ts';

/** Parts of the error message if a file or folder cannot be read: the user's function, and the hint. */
export interface Reader {
  readonly op: string;
  readonly hint: string;
}

/** The largest number of bytes that a file may have, once its first bytes are known. */
type Limit = (start: Uint8Array) => number;

/**
 * The contents of a file, decompressed if its bytes are gzip. The name does not matter: some programs decompress a
 * download and keep its name.
 *
 * @param limit Ends the decompression of a file that is too large: 1 MB of gzip can hold 1 GB. It is called with the first
 *   bytes, at least 1,028 if the file has as many. It may throw a {@link DataError}.
 */
export async function readContents({ op, hint }: Reader, path: string, limit: Limit): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return isGzip(bytes) ? await gunzipped(bytes, limit) : bytes;
  } catch (cause) {
    if (cause instanceof DataError)
      throw new DataError(op, `${path}: ${cause.problem}`, cause.hint, { cause });
    throw new DataError(op, `${path} cannot be read: ${reasonOf(cause)}`, hint, { cause });
  }
}

/** The number of bytes after which the limit is asked for: the longest header of an IDX file. */
const START = 4 + 4 * 256;

async function gunzipped(bytes: Uint8Array, limit: Limit): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let most: number | null = null;
  const stream = createGunzip({ chunkSize: 2 ** 16 });
  stream.end(bytes);
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (most === null && size >= START) most = limit(Buffer.concat(chunks));
    if (size > (most ?? Infinity)) throw new Error(`unpacked, it has more than the expected ${most} bytes`);
  }
  const contents = Buffer.concat(chunks);
  if (most === null && size > limit(contents))
    throw new Error(`unpacked, it has ${size} bytes, more than expected`);
  return contents;
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
