import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Patience } from '../../../src/data/download/transfer.ts';

/** Little of it, so that tests are fast; and enough for a machine that does other things too. */
export const impatience: Patience = { connect: 1000, stall: 1000, connections: 3, pause: 5 };

/** How a server answers one request for a file of these bytes. */
export type Answer = (bytes: Uint8Array, request: IncomingMessage, response: ServerResponse) => void;

/** A mirror on this machine. */
export interface Mirror {
  /** The address of its folder. */
  readonly url: string;
  /** What was asked for: `name`, or `name from <byte>`. */
  readonly requests: string[];
}

/** Serves files; the k-th request is answered by the k-th answer, and later ones by the last. */
export async function mirror(
  files: ReadonlyMap<string, Uint8Array>,
  ...answers: readonly Answer[]
): Promise<Mirror> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(start === undefined ? name : `${name} from ${start}`);
    answer(files.get(name) ?? new Uint8Array(), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

/** As a good server does, with ranges and a version. */
export const well: Answer = versioned('"1"');

export function versioned(etag: string): Answer {
  return (bytes, { headers }, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    } else if (start > 0 && headers['if-range'] === etag) {
      const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { etag, 'content-range': range, 'content-length': bytes.length - start });
      response.end(bytes.subarray(start));
    } else {
      response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes);
    }
  };
}

/** Breaks the connection in the middle of the file. */
export function breaking(headers: Record<string, string> = { etag: '"1"' }): Answer {
  return (bytes, _, response) => {
    response.writeHead(200, { 'content-length': bytes.length, ...headers });
    response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
  };
}

/** Sends half of the file, and then nothing more. */
export const stalling: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2));
};

/** The same, as a server does that could go on with it later. */
export const holding: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' });
  response.write(bytes.subarray(0, bytes.length / 2));
};

/** Does not answer at all. */
export const silent: Answer = () => undefined;

/** Ends well, with half of the file. */
export const cutShort: Answer = (bytes, _, response) => {
  response.writeHead(200).end(bytes.subarray(0, bytes.length / 2));
};

export function answering(status: number): Answer {
  return (_, __, response) => response.writeHead(status).end('no');
}

/** Sends other bytes in place of the file's. */
export function sending(other: Uint8Array | string, headers: Record<string, string> = {}): Answer {
  return (_, __, response) => response.writeHead(200, headers).end(other);
}

/** Sends the file bit by bit, so that there is time to do something in between. */
export const slowly: Answer = (bytes, request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  const headers = { etag: '"1"', 'content-length': bytes.length - start };
  if (start > 0) response.writeHead(206, { ...headers, 'content-range': range });
  else response.writeHead(200, headers);
  const step = Math.ceil(bytes.length / 8);
  const send = (at: number) => {
    if (response.destroyed) return;
    response.write(bytes.subarray(at, at + step));
    if (at + step >= bytes.length) response.end();
    else setTimeout(() => send(at + step), 5);
  };
  send(start);
};
