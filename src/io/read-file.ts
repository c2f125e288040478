/** Reads safetensors files part by part, in Node. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { GammaBetaError } from '../tensor/errors.ts';
import {
  checksumsOf,
  damaged,
  decodeTensor,
  type HeaderCheck,
  headerSize,
  PREFIX,
  readHeader,
  reasonOf,
  type Safetensors,
  type SafetensorsTensor,
  type Source,
} from './safetensors.ts';

/** The largest number of bytes for one call of the operating system. Linux and Node accept less than 2 GiB. */
const MOST = 2 ** 30;

/**
 * Reads a file, whose name is that of the source. Each tensor is read into memory of its own, so the file may be larger
 * than the largest array.
 *
 * @throws {GammaBetaError} From `source.failure`: the file cannot be read, is not safetensors, or is damaged. Or what
 *   `check` throws.
 */
export async function readFileInParts(
  source: Source,
  check: HeaderCheck = () => undefined,
): Promise<Safetensors> {
  const { name: path } = source;
  try {
    expectFile(await stat(path)); // opening a pipe would wait for another program
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const start =
        PREFIX + headerSize(source, await readAt(source, file, 0, Math.min(PREFIX + 1, size)), size);
      const { entries, metadata } = readHeader(source, await readAt(source, file, PREFIX, start), size);
      check({ entries, metadata });
      const sums = checksumsOf(source, metadata);
      const tensors: [string, SafetensorsTensor][] = [];
      for (const entry of entries) {
        const bytes = await readAt(source, file, entry.begin, entry.end);
        tensors.push([entry.name, decodeTensor(source, entry, bytes, sums)]);
      }
      return { tensors: Object.fromEntries(tensors), metadata };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof GammaBetaError) throw cause;
    throw source.failure(`${path} cannot be read: ${reasonOf(cause)}`, source.wanted, { cause });
  }
}

/** The bytes from `begin` to `end`. `most` is the largest number for one call. */
export async function readAt(
  source: Source,
  file: Pick<FileHandle, 'read'>,
  begin: number,
  end: number,
  most: number = MOST,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(most, bytes.length - at);
    const { bytesRead } = await file.read(bytes, at, length, begin + at);
    if (bytesRead === 0) throw damaged(source, `it ends at ${begin + at}, before ${end}`);
    at += bytesRead;
  }
  return bytes;
}

function expectFile(found: Awaited<ReturnType<typeof stat>>): void {
  if (found.isFile()) return;
  throw new Error(found.isDirectory() ? 'EISDIR: it is a folder' : 'it is not a regular file');
}
