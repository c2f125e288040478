import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { DataError } from '../../src/data/errors.ts';
import type { IdxArray } from '../../src/data/idx.ts';

/** The inverse of `parseIdx`, written from the format's description and not from the parser. */
export function encodeIdx({ shape, dtype, data }: IdxArray): Uint8Array {
  const [code, bytes] = {
    uint8: [0x08, 1],
    int8: [0x09, 1],
    int16: [0x0b, 2],
    int32: [0x0c, 4],
    float32: [0x0d, 4],
    float64: [0x0e, 8],
  }[dtype];
  const file = Buffer.alloc(4 + 4 * shape.length + bytes * data.length);
  let at = file.writeUInt8(shape.length, file.writeUInt8(code, 2));
  for (const extent of shape) at = file.writeUInt32BE(extent, at);
  for (const value of data) {
    if (dtype === 'float32') at = file.writeFloatBE(value, at);
    else if (dtype === 'float64') at = file.writeDoubleBE(value, at);
    else if (dtype === 'uint8') at = file.writeUInt8(value, at);
    else at = file.writeIntBE(value, at, bytes);
  }
  return file;
}

/** n examples of a shape; every value of example i is i + 1, and so is its label. */
export function numbered(n: number, shape: readonly number[] = [1]): Dataset {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return {
    x: Float32Array.from({ length: n * size }, (_, i) => Math.floor(i / size) + 1),
    shape,
    labels: Int32Array.from({ length: n }, (_, i) => i + 1),
  };
}

/** A new folder with these files in it, removed after the test. */
export async function folder(files: Record<string, Uint8Array | string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gammabeta-data-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  return dir;
}

/** What an action throws, which has to be a DataError of the one form. */
export function refusal(action: () => unknown): DataError {
  try {
    action();
  } catch (error) {
    return asDataError(error);
  }
  throw new Error('nothing was thrown');
}

/** What a promise is rejected with, which has to be a DataError of the one form. */
export async function rejection(promise: Promise<unknown>): Promise<DataError> {
  return promise.then(() => {
    throw new Error('nothing was thrown');
  }, asDataError);
}

function asDataError(error: unknown): DataError {
  if (!(error instanceof DataError)) throw error;
  if (error.name !== 'DataError' || !/^\w+: [^]+\. Hint: [^]+$/.test(error.message)) throw error;
  return error;
}
