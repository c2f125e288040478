import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../files/files.ts';

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, where another holds the lock. */
  readonly onWait?: () => void;
  /** After how many milliseconds without a sign of life the holder is taken for dead. Default 10,000. */
  readonly staleMs?: number;
}

/**
 * Does some work while nobody else, in this process or another, works under the same path.
 *
 * The lock is a file that is made or not made in one step (O_EXCL) and names its holder, who touches it each second.
 * One whose holder's process is gone, or has not touched it for long, is put aside.
 *
 * It SAVES a second download, and nothing rests on it: files are checked and then renamed, so that two who
 * work at once, because one was suspended for long, waste traffic and damage nothing. (No library: that
 * which most use, proper-lockfile, patches `fs.close` and `process.emit` of the whole process.)
 *
 * @throws what the work throws; the signal's reason, while waiting; what the disk says about the folder
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { signal, onWait, staleMs = 10_000 } = options;
  const mine = `${hostname()} ${process.pid} ${randomUUID()}`;
  let seen = { state: '', since: 0 };
  for (let waits = 0; !(await made(path, mine)); waits++) {
    if (waits === 0) onWait?.();
    await sleep(100, undefined, { signal }).catch(() => signal?.throwIfAborted());
    const state = await stateOf(path);
    // Watched with this process' own clock: that of a network drive, and that of another machine, may be wrong.
    if (state !== seen.state) seen = { state, since: performance.now() };
    if (performance.now() - seen.since > staleMs || isOfTheDead(state)) await putAside(path, state);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined); // it was put aside: see above
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await stateOf(path)).startsWith(mine)) await rm(path, { force: true });
  }
}

async function made(path: string, mine: string): Promise<boolean> {
  try {
    await writeFile(path, mine, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds the lock, and when he last gave a sign of life; '' where nobody does any more. */
async function stateOf(path: string): Promise<string> {
  try {
    return `${await readFile(path, 'utf8')} ${(await stat(path)).mtimeMs}`;
  } catch {
    return '';
  }
}

/** Whether a process of this machine held the lock, and is no more. */
function isOfTheDead(state: string): boolean {
  const [host, pid] = state.split(' ');
  if (host !== hostname() || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0); // asks, and sends nothing
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** By renaming, which only one of those who wait can do; and only what was looked at. */
async function putAside(path: string, state: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    if ((await stateOf(path)) === state) await rename(path, aside);
  } catch {
    return; // another was faster
  }
  await rm(aside, { force: true });
}
