/**
 * Temporary files of downloads. Their names tell which process writes them, so that another one can remove what killed
 * processes left. `src/io/save-file.ts` does the same for saved files; `src/data` and `src/io` do not import each other.
 */
import { randomUUID } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../files/files.ts';

/** A new name beside a file, for a file or folder that this process will remove or rename. */
export function temporaryFor(path: string): string {
  return `${path}.${process.pid}-${host()}-${randomUUID()}.tmp`;
}

/** Removes the temporary files and folders for a path whose processes have ended. Others may be in use. */
export async function removeOrphans(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = await readdir(folder).catch((): string[] => []); // it may be writable, but not readable
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [, pid, on] = /^(\d+)-([0-9a-f]{8})-[0-9a-f-]{36}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    if (on !== host()) continue;
    const orphan = join(folder, name);
    try {
      if (hasEnded(Number(pid), (await lstat(orphan)).mtimeMs)) await rm(orphan, { recursive: true });
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
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Identifies this machine or container: process numbers have no meaning on others that share the folder. */
function host(): string {
  return sha256(new TextEncoder().encode(hostname())).slice(0, 8);
}
