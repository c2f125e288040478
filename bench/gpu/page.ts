/** The script of the page: runs the benchmarks, shows the results, and sends them to the server. */
import { resultsHtml } from './html.ts';
import type { GpuOptions } from './options.ts';
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
  const report = await runBenchmarks(options, host.replace('/', ' '), async (soFar, line) => {
    show(soFar, line === null ? 'Done.' : `Measuring ${line} …`);
    await post({ line: line ?? '', soFar });
    await new Promise((resolve) => setTimeout(resolve, 0)); // lets the browser draw
  });
  await post({ report });
} catch (error) {
  const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  byId('status').textContent = `Failed: ${failure}`;
  await post({ failure });
}
