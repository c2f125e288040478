import { kMaxLength } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, createGunzip, gunzip } from 'node:zlib';
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
  const start = await startOf(bytes);
  if (start.length === START) return unpacked(bytes, limit(start));
  const contents = await unpacked(bytes, START);
  const most = limit(contents);
  if (contents.length > most) throw tooLarge(most);
  return contents;
}

/** The first START bytes of the contents, or all if they are fewer. */
async function startOf(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = createGunzip({ chunkSize: START });
  stream.end(bytes);
  for await (const chunk of stream as AsyncIterable<Uint8Array>) return chunk;
  return new Uint8Array();
}

/** The contents, written into one piece of memory: copying the pieces of a large file takes as long as unpacking it. */
async function unpacked(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  // One byte more than the contents, because zlib takes another piece when one is full.
  const chunkSize = Math.max(Math.min(announcedSize(bytes), most) + 1, constants.Z_MIN_CHUNK);
  try {
    return await promisify(gunzip)(bytes, { chunkSize, maxOutputLength: Math.min(most, kMaxLength) });
  } catch (error) {
    const isTooLarge =
      error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge ? tooLarge(most) : error;
  }
}

/** The size of the contents, as the end of the file says; at most that of the best compression, one byte for 1,032. */
function announcedSize(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Math.min(view.getUint32(bytes.length - 4, true), 1032 * bytes.length);
}

function tooLarge(most: number): Error {
  return new Error(`unpacked, it has more than the expected ${most} bytes`);
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
