import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataError } from '../../src/index.ts';

export interface Served {
  readonly address: string;
  /** Settles when the server has ended. */
  readonly closed: Promise<void>;
}

/**
 * Serves one page on 127.0.0.1 until the signal is aborted. Other machines cannot reach it.
 *
 * @throws {DataError} The port is taken or not allowed.
 */
export async function serve(html: string, port: number, signal: AbortSignal): Promise<Served> {
  const bytes = Buffer.from(html);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/' && pathname !== '/explorer.html') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found. The page is at /.\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new DataError(
          'explorer',
          `port ${port} cannot be used: ${error.code ?? error.message}`,
          'name another one with --port, or --port 0',
        ),
      );
    });
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  signal.addEventListener('abort', () => {
    server.close();
    server.closeAllConnections();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, closed };
}
