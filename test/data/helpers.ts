import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { DataError } from '../../src/data/data-error.ts';
import type { GammaBetaError } from '../../src/tensor/errors.ts';

/** n examples of a shape; every value of example i is i + 1, and so is its label. */
export function numbered(n: number, shape: readonly number[] = [1]): Dataset {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return {
    x: Float32Array.from({ length: n * size }, (_, i) => Math.floor(i / size) + 1),
    shape,
    labels: Int32Array.from({ length: n }, (_, i) => i + 1),
  };
}

/** A new folder with these files. It is removed after the test. */
export async function folder(files: Record<string, Uint8Array | string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gammabeta-data-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  return dir;
}

type ErrorClass = new (op: string, problem: string, hint: string) => GammaBetaError;

/** The error that an action throws. It has to be of this class, with a message of the usual form. */
export function refusal(action: () => unknown, errorClass: ErrorClass = DataError): GammaBetaError {
  try {
    action();
  } catch (error) {
    return checked(error, errorClass);
  }
  throw new Error('nothing was thrown');
}

/** The error that a promise is rejected with; see {@link refusal}. */
export async function rejection(
  promise: Promise<unknown>,
  errorClass: ErrorClass = DataError,
): Promise<GammaBetaError> {
  return promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => checked(error, errorClass),
  );
}

function checked(error: unknown, errorClass: ErrorClass): GammaBetaError {
  if (!(error instanceof errorClass)) throw error;
  if (error.name !== errorClass.name || !/^\w+: [^]+\. Hint: [^]+$/.test(error.message)) throw error;
  return error;
}
