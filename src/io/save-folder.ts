/** Writes folders as a whole, in Node. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GammaBetaError } from '../tensor/errors.ts';
import { reasonOf, type Source } from './safetensors.ts';
import { writeAll } from './save-file.ts';

/** The files of a folder by name, each in parts. */
export type Files = Readonly<Record<string, readonly Uint8Array[]>>;

/**
 * Makes a folder with files. They are written to a temporary folder beside it, flushed to the disk, and the folder is
 * renamed, so there is either all of it or nothing.
 *
 * @throws {GammaBetaError} From `source.failure`: there is a file or a folder with files at this path, or the folder cannot
 *   be written; the temporary folder is removed.
 */
export async function saveFolder(path: string, source: Source, files: Files): Promise<void> {
  try {
    await write(await freePath(path, source), files);
  } catch (cause) {
    if (cause instanceof GammaBetaError) throw cause;
    const hint = 'the folder around it must exist, be writable, and have room';
    throw source.failure(`${path} cannot be written: ${reasonOf(cause)}`, hint, { cause });
  }
}

async function write(target: string, files: Files): Promise<void> {
  const temporary = `${target}.${process.pid}-${randomUUID()}.tmp`;
  await mkdir(temporary);
  try {
    for (const [name, parts] of Object.entries(files)) {
      const file = await open(join(temporary, name), 'wx');
      try {
        for (const part of parts) await writeAll(file, part);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    await rmdir(target).catch(() => undefined); // an empty one; Windows does not rename onto it
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined); // report the first failure
    throw cause;
  }
}

/**
 * The path for a new folder: there is nothing, or an empty folder.
 *
 * @throws {GammaBetaError} From `source.failure`: there is something else, which would be lost.
 */
export async function freePath(path: string, source: Source): Promise<string> {
  const target = await realpath(path).catch(() => resolve(path));
  const found = await stat(target).catch(() => null);
  if (found === null) return target;
  const hint = 'give the path of a new folder';
  if (!found.isDirectory()) throw source.failure(`${path} is not a folder`, hint);
  const names = await readdir(target);
  if (names.length === 0) return target;
  throw source.failure(`the folder ${path} is not empty: it has ${names.slice(0, 3).join(', ')}`, hint);
}
