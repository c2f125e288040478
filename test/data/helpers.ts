import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { DataError } from '../../src/data/errors.ts';

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
