import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressFault, DiskFault } from './faults.ts';
import { Watchdog } from './watchdog.ts';

/** How long to wait, and how often to try again at one address. */
export interface Patience {
  /** Milliseconds until a server has to answer. */
  readonly connect: number;
  /** Milliseconds between two arrivals of bytes. */
  readonly stall: number;
  /** How many connections one file may take at one address: each after the first goes on where that broke off. */
  readonly connections: number;
  /** Milliseconds before the second connection, twice as many before the third, … */
  readonly pause: number;
}

export const patience: Patience = { connect: 10_000, stall: 30_000, connections: 5, pause: 500 };

/** What a transfer needs to know. */
export interface Transfer {
  readonly url: string;
  /** The unfinished file. Beside it, in `….json`, stands which version of what it is the beginning of. */
  readonly part: string;
  /** More bytes than this are not taken. */
  readonly most: number;
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (received: number, total: number | undefined) => void;
}

/**
 * Gets what stands at an address into a file, going on where an earlier transfer broke off if the server can and still
 * has the same version (Range, with If-Range and a strong ETag or a date). Whether it is right is not looked at.
 *
 * @returns whether bytes of an earlier transfer are in it
 * @throws {AddressFault} the server does not answer, refuses, sends a page, or breaks off too often
 * @throws {DiskFault} the file cannot be written
 * @throws the signal's reason; what has arrived stays in `part`
 */
export async function transfer(task: Transfer): Promise<boolean> {
  const { patience, signal } = task;
  for (let connection = 1; ; connection++) {
    try {
      return (await connect(task, connection > 1)) || connection > 1;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof AddressFault && error.broken)) throw error;
      if (connection >= patience.connections) {
        throw new AddressFault(connection === 1 ? error.message : `${error.message} (${connection} times)`);
      }
      await sleep(patience.pause * connection, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** Removes an unfinished file. */
export async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

/**
 * One connection. Returns whether it went on where another broke off.
 *
 * @param again an address that has answered before is worth asking again where it does not
 */
async function connect(
  { url, part, most, patience, signal, onBytes }: Transfer,
  again: boolean,
): Promise<boolean> {
  const begun = await beginning(part, url);
  const watchdog = new Watchdog(signal);
  try {
    watchdog.expect(patience.connect, 'no answer', again);
    const response = await watchdog.guard(
      // What is counted and checked are the bytes as they lie there, not what a server makes of them on the way.
      fetch(url, { headers: { 'accept-encoding': 'identity', ...begun.headers }, signal: watchdog.signal }),
      again,
    );
    try {
      const { from, total } = await answered(response, begun.bytes, part);
      if (total !== undefined && total > most) {
        throw new AddressFault(`it sends ${total} bytes where at most ${most} are expected`);
      }
      onBytes(from, total);
      if (from > 0 && from === total) return true;
      const file = await toDisk(part, open(part, from === 0 ? 'w' : 'a'));
      try {
        if (from === 0) await toDisk(part, note(part, url, response));
        await receive(response, file, { part, from, total, most, watchdog, stall: patience.stall, onBytes });
        await toDisk(part, file.sync());
      } finally {
        await file.close();
      }
      return from > 0;
    } finally {
      await response.body?.cancel().catch(() => undefined); // where it was not read to its end
    }
  } finally {
    watchdog.stop();
  }
}

/** What the answer's body is: where it begins, and how long the whole is. */
async function answered(
  response: Response,
  bytes: number,
  part: string,
): Promise<{ from: number; total: number | undefined }> {
  const { status, statusText, headers } = response;
  const [, start, whole] =
    /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (status === 206 && bytes > 0 && Number(start) === bytes) {
    return { from: bytes, total: whole === '*' ? undefined : Number(whole) };
  }
  if (status === 416 && bytes > 0) {
    if (Number(whole) === bytes) return { from: bytes, total: bytes }; // all of it was there
    await discard(part);
    throw new AddressFault('it has no more of the file that was begun', true);
  }
  if (status !== 200) throw new AddressFault(`it answers ${`${status} ${statusText}`.trim()}`);
  if (headers.get('content-type')?.includes('text/html')) throw page();
  const length = headers.get('content-length');
  return { from: 0, total: length === null || headers.has('content-encoding') ? undefined : Number(length) };
}

interface Receiving {
  readonly part: string;
  readonly from: number;
  readonly total: number | undefined;
  readonly most: number;
  readonly watchdog: Watchdog;
  readonly stall: number;
  readonly onBytes: Transfer['onBytes'];
}

async function receive(response: Response, file: FileHandle, at: Receiving): Promise<void> {
  const { part, from, total, most, watchdog, stall, onBytes } = at;
  let received = from;
  const body: ReadableStream<Uint8Array> = response.body ?? new Blob([]).stream();
  const reader = body.getReader();
  for (;;) {
    const of = `${received}${total === undefined ? '' : ` of ${total}`} bytes`;
    watchdog.expect(stall, `no more than ${of}`, true);
    const { done, value } = await watchdog.guard(reader.read(), true);
    if (done) break;
    watchdog.rest(); // a slow disk is not the server's fault
    if (received === 0 && value[0] === LESS_THAN) throw page();
    received += value.length;
    if (received > most) throw new AddressFault(`it sends more than the ${most} bytes that are expected`);
    await toDisk(part, file.writeFile(value));
    onBytes(received, total);
  }
  if (total !== undefined && received < total) {
    throw new AddressFault(`the connection broke after ${received} of ${total} bytes`, true);
  }
}

const LESS_THAN = 0x3c;

function page(): AddressFault {
  return new AddressFault("it sends an HTML page with status 200 (a sign-in page, or a proxy's?)");
}

/** How much of the file there is, and the headers that ask for the rest of that version. */
async function beginning(
  part: string,
  url: string,
): Promise<{ bytes: number; headers: Record<string, string> }> {
  const none = { bytes: 0, headers: {} };
  try {
    const { size } = await stat(part);
    const noted = JSON.parse(await readFile(`${part}.json`, 'utf8')) as { url?: string; version?: string };
    if (size === 0 || noted.url !== url || typeof noted.version !== 'string') return none;
    return { bytes: size, headers: { range: `bytes=${size}-`, 'if-range': noted.version } };
  } catch {
    return none;
  }
}

/** Notes which version this is the beginning of, where the server says so in a way that can be relied on. */
async function note(part: string, url: string, { headers }: Response): Promise<void> {
  const etag = headers.get('etag');
  const version = etag === null || etag.startsWith('W/') ? headers.get('last-modified') : etag;
  if (version === null || headers.has('content-encoding')) await rm(`${part}.json`, { force: true });
  else await writeFile(`${part}.json`, JSON.stringify({ url, version }));
}

async function toDisk<T>(path: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    throw new DiskFault(path, cause);
  }
}
