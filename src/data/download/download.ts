/** Downloads into the cache. This is the only file of the library that uses the network. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../data-error.ts';
import { reasonOf } from '../files/files.ts';
import { isHtml } from '../signatures.ts';

/** How far a download is. */
export interface DownloadProgress {
  /** `receiving` while bytes arrive, `unpacking` while a complete archive is unpacked. */
  readonly state: 'receiving' | 'unpacking';
  /** The name of the file, e.g. `train-images-idx3-ubyte.gz`. */
  readonly file: string;
  /** The address that it comes from. */
  readonly url: string;
  /** The number of bytes that have arrived. */
  readonly received: number;
  /** The size of the file in bytes, if the server says it. */
  readonly total: number | undefined;
}

/**
 * A server may take `base` milliseconds to answer, and then `base` milliseconds and one second for each `rate` bytes of
 * the file's size to send it.
 */
export interface TimeLimit {
  readonly base: number;
  readonly rate: number;
}

const defaultLimit: TimeLimit = { base: 30_000, rate: 50_000 };

export interface DownloadOptions {
  /** The function that the user called, for messages. */
  readonly op: string;
  /** What the user can do if no address has the file, for the message. */
  readonly hint: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly timeLimit?: TimeLimit | undefined;
}

/** A file to download. */
export interface RemoteFile {
  readonly name: string;
  /** The addresses, in the order in which they are tried. */
  readonly urls: readonly string[];
  /** The largest size that it can have, in bytes. */
  readonly most: number;
  /** Checks the file at the temporary path, and moves it or its contents into place. Throws {@link MirrorError}. */
  readonly store: (temporary: string, url: string) => Promise<void>;
}

/** A mirror did not send the right file; the message says what it did. The next mirror is tried. */
export class MirrorError extends Error {}

/**
 * Downloads a file into a temporary file in `folder` and hands that to `store`, from the first address that sends the
 * right file in time. The temporary file has a name of its own, so several processes can download the same file at once,
 * and it is removed in any case.
 *
 * @throws {DataError} if no address sends the right file, with the reason for each; if the folder cannot be written
 * @throws the signal's reason, if it is aborted
 */
export async function download(folder: string, file: RemoteFile, options: DownloadOptions): Promise<void> {
  const { op, hint, signal } = options;
  const problems: string[] = [];
  try {
    await mkdir(folder, { recursive: true });
    for (const url of file.urls) {
      const temporary = join(folder, `${file.name}.${randomUUID()}.tmp`);
      try {
        await writeFile(temporary, receive(url, file, options), { flag: 'wx', flush: true });
        await file.store(temporary, url);
        signal?.throwIfAborted();
        return;
      } catch (error) {
        if (!(error instanceof MirrorError)) throw error;
        problems.push(`${url}: ${error.message}`);
      } finally {
        await rm(temporary, { force: true });
      }
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (!isSystemError(cause)) throw cause;
    throw new DataError(
      op,
      `${folder} cannot be written: ${cause.message}`,
      'check that the disk has room and the folder can be written to, or set GAMMABETA_CACHE to another folder',
      { cause },
    );
  }
  throw new DataError(op, `${file.name} could not be downloaded: ${problems.join('; ')}`, hint);
}

/** The bytes that an address sends, as they arrive. */
async function* receive(
  url: string,
  { name, most }: RemoteFile,
  { signal, onProgress, timeLimit: { base, rate } = defaultLimit }: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const connection = new AbortController();
  const interrupt = () => connection.abort(signal?.reason);
  signal?.addEventListener('abort', interrupt);
  let received = 0;
  const limit = (ms: number, problem: () => string) =>
    setTimeout(() => {
      connection.abort(new MirrorError(`${problem()} in ${Math.round(ms / 1000)} s`));
    }, ms);
  let timer = limit(base, () => 'no answer');
  /** Rejected when the connection is aborted: a read of `fetch` may stay pending then. */
  const aborted = new Promise<never>((_, reject) => {
    connection.signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
  aborted.catch(() => undefined);
  /** Distinguishes what the network throws from what `onProgress` throws. */
  const network = <T>(action: Promise<T>) =>
    Promise.race([action, aborted]).catch((error: unknown) => {
      connection.signal.throwIfAborted();
      throw new MirrorError(networkReason(error));
    });
  try {
    // `identity`, so that sizes are those of the file and not of a compressed transfer.
    const headers = { 'accept-encoding': 'identity' };
    const response = await network(fetch(url, { headers, signal: connection.signal }));
    const { ok, status, statusText } = response;
    if (!ok) throw new MirrorError(`it answers ${`${status} ${statusText}`.trim()}`);
    const total = sizeOf(response);
    if (total !== undefined && total > most) {
      throw new MirrorError(`it sends ${total} bytes where at most ${most} are expected`);
    }
    clearTimeout(timer);
    timer = limit(base + (1000 * (total ?? most)) / rate, () => {
      return `no more than ${received}${total === undefined ? '' : ` of ${total}`} bytes`;
    });
    onProgress?.({ state: 'receiving', file: name, url, received, total });
    const body: ReadableStream<Uint8Array> = response.body ?? new Blob([]).stream();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await network(reader.read());
      if (done) return;
      if (received === 0 && isHtml(value)) {
        throw new MirrorError(`it sends an HTML page with status ${status} (a sign-in page, or a proxy's?)`);
      }
      received += value.length;
      if (received > most) throw new MirrorError(`it sends more than the ${most} bytes that are expected`);
      onProgress?.({ state: 'receiving', file: name, url, received, total });
      yield value;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
    connection.abort(); // closes it, if the body was not read to its end
  }
}

/** The number of bytes that will arrive. A server that compresses the transfer announces another number. */
function sizeOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? undefined : Number(length);
}

/** The message of `fetch` is "fetch failed"; its cause has the reason, e.g. `connect ECONNREFUSED 127.0.0.1:9`. */
function networkReason(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return reasonOf(cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause);
}

/** Whether an error is the operating system's, e.g. ENOSPC or EACCES. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}
