/** Bundles the page and serves it, only to this machine. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleForPage, type PageFiles } from '../page-files.ts';
import { frame } from './html.ts';
import { type PeerName, peerNames, peers } from './peers.ts';
import type { GpuOptions } from './options.ts';
import type { HostReport } from './gpu-report.ts';

const peerFolder = join(import.meta.dirname, '../peers');

/** What the page sends: the line of the next measurement with the results so far, the report, or an error. */
export type Message =
  | { readonly line: string; readonly soFar: HostReport }
  | { readonly report: HostReport }
  | { readonly failure: string };

export interface Server {
  readonly address: string;
  close(): void;
}

/** @param port 0 is any free port. */
export async function serve(
  options: GpuOptions,
  onMessage: (message: Message) => void,
  port = 0,
): Promise<Server> {
  const files = await bundle(options.peers ?? []);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      void receive(request).then((message) => {
        if (message !== null) onMessage(message);
        response.writeHead(message === null ? 403 : 204).end();
      });
      return;
    }
    const script = files.get(pathname);
    if (script !== undefined) response.setHeader('Content-Type', 'text/javascript').end(script);
    else if (pathname !== '/') response.writeHead(404).end();
    else response.setHeader('Content-Type', 'text/html').end(frame(options, '/page.js'));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The message of a request; null if the request comes from another page. */
async function receive(request: IncomingMessage): Promise<Message | null> {
  const { origin = '', host = '' } = request.headers;
  if (origin !== `http://${host}`) return null;
  return JSON.parse(await text(request)) as Message;
}

/** The other libraries that are installed. */
export const installedPeers: readonly PeerName[] = peerNames.filter((name) =>
  peers[name].packages.every((each) => existsSync(join(peerFolder, 'node_modules', each))),
);

/** Bundles the page's script, and one file for each of the other libraries. */
function bundle(names: readonly PeerName[]): Promise<PageFiles> {
  const files = [...new Set(names.map((name) => peers[name].file))];
  return bundleForPage({
    page: join(import.meta.dirname, 'page.ts'),
    ...Object.fromEntries(files.map((file) => [file, join(peerFolder, 'contenders', `${file}.js`)])),
  });
}
