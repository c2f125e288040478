/** Replaces files as a whole, in Node: at every moment a file has its old contents or its new ones. */
import { randomUUID } from 'node:crypto';
import {
  type FileHandle,
  lstat,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { GammaBetaError } from '../tensor/errors.ts';
import { crc32 } from './crc32.ts';
import { reasonOf, type Source } from './safetensors.ts';

/** The largest number of bytes for one call of the operating system. Linux and Node accept less than 2 GiB. */
const MOST = 2 ** 30;

/** The last file that is being saved. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Saves the parts of a file one after another. Files are saved one after another, in the order of the calls, so the last
 * call wins, also if two paths lead to the same file.
 *
 * The parts are written to a temporary file in the same folder, flushed to the disk, and renamed. A symbolic link stays:
 * the file that it leads to is replaced. An existing file keeps its mode. Temporary files that a killed process left
 * behind are removed.
 *
 * @throws {GammaBetaError} From `source.failure`: the file cannot be written; the temporary file is removed.
 */
export function saveFile(path: string, source: Source, parts: Promise<readonly Uint8Array[]>): Promise<void> {
  parts.catch(() => undefined); // it is awaited later
  const saved = last.then(async () => {
    const ready = await parts;
    try {
      await replace(path, source, ready);
    } catch (cause) {
      if (cause instanceof GammaBetaError) throw cause;
      const hint = 'the folder must exist, be writable, and have room for two copies of the file';
      throw source.failure(`${path} cannot be written: ${reasonOf(cause)}`, hint, { cause });
    }
  });
  last = saved.catch(() => undefined);
  return saved;
}

async function replace(path: string, source: Source, parts: readonly Uint8Array[]): Promise<void> {
  const target = await targetOf(path);
  const before = await stat(target).catch(nullIfMissing);
  if (before?.isFile() === false) {
    const kind = before.isDirectory() ? 'a folder' : 'not a regular file';
    throw source.failure(`${path} cannot be written: it is ${kind}`, 'give the path of a file');
  }
  await removeOrphans(target);
  const temporary = `${prefixOf(target)}${process.pid}-${host()}-${randomUUID()}.tmp`;
  const mode = before === null ? null : before.mode & 0o7777;
  const file = await open(temporary, 'wx', mode ?? 0o666); // an existing file or link is an error
  try {
    try {
      if (mode !== null) await file.chmod(mode);
      for (const part of parts) await writeAll(file, part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // report the first failure
    throw cause;
  }
}

/** Writes all bytes. `most` is the largest number for one call. */
export async function writeAll(
  file: Pick<FileHandle, 'write'>,
  bytes: Uint8Array,
  most: number = MOST,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(most, bytes.length - at));
    at += bytesWritten;
  }
}

/** The path that symbolic links lead to, whether or not a file is there. */
async function targetOf(path: string): Promise<string> {
  const existing = await realpath(path).catch(nullIfMissing);
  if (existing !== null) return existing;
  const own = join(await realpath(dirname(path)), basename(path));
  const link = await readlink(own).catch(nullIfMissing);
  return link === null ? own : targetOf(resolve(dirname(own), link));
}

/** Removes the temporary files for a target whose processes have ended. Others may be in use. */
async function removeOrphans(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = basename(prefixOf(target));
  const names = await readdir(folder).catch((): string[] => []); // it may be writable, but not readable
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const [, pid, on] = /^(\d+)-([0-9a-f]{8})-[0-9a-f-]{36}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    if (on !== host()) continue;
    try {
      const path = join(folder, name);
      const found = await lstat(path);
      const isOurs = found.isFile() && found.uid === (process.getuid?.() ?? found.uid);
      if (isOurs && hasEnded(Number(pid), found.mtimeMs)) await rm(path);
    } catch {
      // it is gone, or may not be removed
    }
  }
}

/** Whether the process that wrote a file has ended. Its number may be this one's now, as the first in a container. */
function hasEnded(pid: number, writtenAt: number): boolean {
  if (pid === process.pid) return writtenAt < Date.now() - 1000 * process.uptime();
  try {
    process.kill(pid, 0); // sends no signal
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** What the names of the temporary files for a target begin with: short enough for every file system. */
function prefixOf(target: string): string {
  return join(dirname(target), `${basename(target).slice(0, 40)}.`);
}

/** Identifies this machine or container: process numbers have no meaning on others that share the folder. */
function host(): string {
  return crc32(new TextEncoder().encode(hostname())).toString(16).padStart(8, '0');
}

function nullIfMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
