/** The script of the page: runs the benchmarks, shows the results, and sends them to the server. */
import { resultsHtml } from './html.ts';
import type { GpuOptions } from './options.ts';
import { type OpenPeer, type Peer, type PeerName, peers } from './peers.ts';
import { runBenchmarks } from './program.ts';
import type { HostReport } from './gpu-report.ts';
import type { Message } from './server.ts';

/** The parts of the DOM that this script uses; TypeScript's `dom` library would declare all of it everywhere. */
interface Page {
  readonly document: {
    getElementById(id: string): { textContent: string; innerHTML: string };
  };
  readonly navigator: { readonly userAgent: string };
}

const { document, navigator } = globalThis as unknown as Page;
const byId = (id: string) => document.getElementById(id);

const options = JSON.parse(byId('options').textContent) as GpuOptions;
const host = /(?:Edg|Firefox|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent;

/** Opens a library that the server has bundled by itself, once. */
const openPeer: OpenPeer = (name) => {
  const opened = libraries.get(name) ?? load(name);
  libraries.set(name, opened);
  return opened;
};
const libraries = new Map<PeerName, Promise<Peer>>();

async function load(name: PeerName): Promise<Peer> {
  const { file, backend } = peers[name];
  const library = (await import(`/${file}.js`)) as { open(backend: string): Promise<Peer> };
  return library.open(backend);
}

async function post(message: Message): Promise<void> {
  try {
    await fetch('/message', { method: 'POST', body: JSON.stringify(message) });
  } catch {
    // the command has ended; the page continues without it
  }
}

function show(report: HostReport, status: string): void {
  byId('status').textContent = status;
  byId('results').innerHTML = resultsHtml(report);
}

try {
  const tell = async (soFar: HostReport, line: string | null) => {
    show(soFar, line === null ? 'Done.' : `Measuring ${line} …`);
    await post({ line: line ?? '', soFar });
    await new Promise((resolve) => setTimeout(resolve, 0)); // lets the browser draw
  };
  const report = await runBenchmarks(options, host.replace('/', ' '), tell, openPeer);
  await post({ report });
} catch (error) {
  const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  byId('status').textContent = `Failed: ${failure}`;
  await post({ failure });
}
