import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DataError } from '../errors.ts';
import { AddressFault, DiskFault } from './faults.ts';
import { codeOf } from '../files/files.ts';
import { withLock } from './lock.ts';
import { discard, patience, transfer, type Patience } from './transfer.ts';

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes arrive; another process is downloading the same, and this one waits for it; an archive is unpacked. */
  readonly state: 'receiving' | 'waiting' | 'unpacking';
  /** The file, e.g. `train-images-idx3-ubyte.gz`. */
  readonly file: string;
  /** The address that it comes from. */
  readonly url: string;
  /** The bytes of it that are here, among them those of an earlier download that was interrupted. */
  readonly received: number;
  /** The bytes of all of it, where the server says how many. */
  readonly total: number | undefined;
}

/** Who downloads, and how. */
export interface DownloadOptions {
  readonly op: string;
  /** What to do when it cannot be had, for the message. */
  readonly hint: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Other times than {@link patience}, for tests. */
  readonly patience?: Patience;
}

/** A file, and where it is to be had. */
export interface Remote {
  /** In the order in which they are tried. */
  readonly urls: readonly string[];
  /** More bytes than this cannot be it. */
  readonly most: number;
  /** What is wrong with the contents, or null. */
  readonly wrong: (path: string) => Promise<string | null>;
}

/** Does what makes a folder of the cache complete, one process at a time. */
export async function filling(
  folder: string,
  options: DownloadOptions,
  work: () => Promise<void>,
): Promise<void> {
  const { signal, onProgress } = options;
  const onWait = () => {
    onProgress?.({ state: 'waiting', file: basename(folder), url: '', received: 0, total: undefined });
  };
  signal?.throwIfAborted();
  try {
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw new DiskFault(folder, cause);
    });
    await withLock(`${folder}.lock`, { signal, onWait }, work);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DiskFault) throw refusedByDisk(options.op, error);
    if (/^E[A-Z0-9]+$/.test(codeOf(error) ?? ''))
      throw refusedByDisk(options.op, new DiskFault(folder, error));
    throw error;
  }
}

/**
 * Gets a file from the first address that has it right. It is written beside its place, as `….part`, checked there,
 * flushed to the disk, and then renamed: `path` never holds anything but the whole of it.
 *
 * @throws {DataError} no address has it: which ones, and why each
 * @throws {DiskFault} the disk refuses
 */
export async function download(path: string, remote: Remote, options: DownloadOptions): Promise<void> {
  const reasons: string[] = [];
  for (const url of remote.urls) {
    try {
      await downloadFrom(url, path, remote, options);
      return;
    } catch (error) {
      if (error instanceof DiskFault && isFull(error)) await discard(`${path}.part`); // it takes the room away
      if (!(error instanceof AddressFault)) throw error;
      reasons.push(`${url}: ${error.message}`);
    }
  }
  throw new DataError(
    options.op,
    `${basename(path)} could not be downloaded: ${reasons.join('; ')}`,
    options.hint,
  );
}

async function downloadFrom(
  url: string,
  path: string,
  { most, wrong }: Remote,
  { signal, onProgress, ...options }: DownloadOptions,
): Promise<void> {
  const part = `${path}.part`;
  const file = basename(path);
  const onBytes = (received: number, total: number | undefined) =>
    onProgress?.({ state: 'receiving', file, url, received, total });
  const task = { url, part, most, patience: options.patience ?? patience, signal, onBytes };
  for (let anew = false; ; anew = true) {
    const resumed = await transfer(task);
    const problem = await wrong(part);
    signal?.throwIfAborted();
    if (problem === null) break;
    await discard(part);
    // What was put together of two connections may be the fault of neither: once more, in one.
    if (!resumed || anew) throw new AddressFault(problem);
  }
  await rename(part, path).catch((cause: unknown) => {
    throw new DiskFault(path, cause);
  });
  await discard(part);
}

/** Whether there is no room: on the disk, or in this user's share of it. */
function isFull({ code }: DiskFault): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function refusedByDisk(op: string, fault: DiskFault): DataError {
  const hint = isFull(fault) ? 'make room' : `make ${dirname(fault.path)} a folder that can be written to`;
  return new DataError(
    op,
    fault.message,
    `${hint}, or let the variable GAMMABETA_CACHE name another folder for downloads`,
    { cause: fault },
  );
}
