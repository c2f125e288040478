import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TimeLimit } from '../../../src/data/download/download.ts';

/** A limit that keeps tests fast, and leaves enough time on a busy machine. */
export const shortLimit: TimeLimit = { base: 1500, rate: 1e6 };

/** How a server answers one request for a file with these bytes. */
export type Answer = (bytes: Uint8Array, request: IncomingMessage, response: ServerResponse) => void;

/** A mirror on this machine. */
export interface Mirror {
  /** The address of its folder. */
  readonly url: string;
  /** The names of the files that were requested. */
  readonly requests: string[];
}

/** Serves files; request k is answered by answer k, and later requests by the last answer. */
export async function mirror(
  files: ReadonlyMap<string, Uint8Array>,
  ...answers: readonly Answer[]
): Promise<Mirror> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(name);
    answer(files.get(name) ?? new Uint8Array(), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

/** Sends the file. */
export const well: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
};

/** Breaks the connection in the middle of the file. */
export const breaking: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
};

/** Sends half of the file, and then nothing more. */
export const stalling: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2));
};

/** Sends a byte from time to time. */
export const dripping: Answer = (bytes, _, response) => {
  response.writeHead(200, { 'content-length': bytes.length });
  let sent = 0;
  const timer = setInterval(() => response.write(bytes.subarray(sent, ++sent)), 50);
  response.on('close', () => clearInterval(timer));
};

/** Does not answer. */
export const silent: Answer = () => undefined;

/** Sends half of the file as if it were the whole file. */
export const cutShort: Answer = (bytes, _, response) => {
  response.writeHead(200).end(bytes.subarray(0, bytes.length / 2));
};

export function answering(status: number): Answer {
  return (_, __, response) => response.writeHead(status).end('no');
}

/** Redirects to the file of the same name at another address. */
export function redirecting(url: string): Answer {
  return (_, request, response) =>
    response.writeHead(302, { location: url + (request.url?.slice(1) ?? '') }).end();
}

/** Sends other bytes in place of the file's. */
export function sending(other: Uint8Array | string, headers: Record<string, string> = {}): Answer {
  return (_, __, response) => response.writeHead(200, headers).end(other);
}

/** Sends the file in eight parts, with some milliseconds between them. */
export function slowly(pause: number): Answer {
  return (bytes, _, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    const step = Math.ceil(bytes.length / 8);
    const send = (at: number) => {
      if (response.destroyed) return;
      response.write(bytes.subarray(at, at + step));
      if (at + step >= bytes.length) response.end();
      else setTimeout(() => send(at + step), pause);
    };
    send(0);
  };
}
