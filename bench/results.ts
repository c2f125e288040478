/** Reads the committed results that README.md quotes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckoutReport } from './checkouts.ts';
import type { FormName } from './forms.ts';
import type { GpuReport } from './gpu/gpu-report.ts';
import type { PeersReport } from './peers/peers-report.ts';
import type { Machine } from './machine.ts';
import type { Report } from './suite-report.ts';
import type { ThreadsReport } from './threads-report.ts';

/** A report with the name of its file in `results`. */
export type Result<T> = T & { readonly file: string };

/** Reports that README.md does not quote. */
type NotQuoted = CheckoutReport;

type Quoted = Report | PeersReport | ThreadsReport | GpuReport | CudaReport;

/** What `bench/peers/cuda.py` writes. */
export interface CudaReport {
  readonly benchmark: 'gammabeta-gpu-pytorch';
  readonly quick: boolean;
  readonly products: readonly {
    readonly kernel: string;
    readonly size: string;
    readonly teraflops: number;
  }[];
  readonly steps: readonly { readonly net: string; readonly batch: number; readonly seconds: number }[];
}

/** The results of one GPU, from the files `gpu-NAME…` and `cuda-NAME.json`. */
export interface GpuResults {
  readonly name: string;
  readonly report: GpuReport;
  /** Of an earlier commit. */
  readonly before: GpuReport | undefined;
  /** Of the products alone. */
  readonly products: GpuReport | undefined;
  /** PyTorch's. */
  readonly cuda: CudaReport | undefined;
}

export interface Results {
  readonly suites: readonly Result<Report>[];
  readonly peers: readonly Result<PeersReport>[];
  readonly threads: readonly Result<ThreadsReport>[];
  readonly gpus: readonly GpuResults[];
}

/**
 * Reads all results of a folder, sorted by Node version, newest first.
 *
 * @throws {Error} A result was measured with `--quick`.
 */
export function readResults(folder: string = join(import.meta.dirname, 'results')): Results {
  const suites: Result<Report>[] = [];
  const peers: Result<PeersReport>[] = [];
  const threads: Result<ThreadsReport>[] = [];
  const gpus = new Map<string, GpuReport>();
  const cudas = new Map<string, CudaReport>();
  for (const file of filesOf(folder)) {
    const report = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Quoted | NotQuoted;
    if (report.quick) throw new Error(`${file}: measured with --quick. Hint: measure again without it`);
    if (report.benchmark === 'gammabeta') suites.push({ ...report, file });
    else if (report.benchmark === 'gammabeta peers') peers.push({ ...report, file });
    else if (report.benchmark === 'gammabeta threads') threads.push({ ...report, file });
    else if (report.benchmark === 'gammabeta-gpu') gpus.set(nameIn(file), report);
    else if (report.benchmark === 'gammabeta-gpu-pytorch') cudas.set(nameIn(file), report);
  }
  const ofGpus = [...gpus].flatMap(([name, gpu]): GpuResults[] =>
    /-(?:before|products)$/.test(name)
      ? []
      : [
          {
            name,
            report: gpu,
            before: gpus.get(`${name}-before`),
            products: gpus.get(`${name}-products`) ?? gpu,
            cuda: cudas.get(name) ?? gpu.pytorch,
          },
        ],
  );
  return {
    suites: suites.sort(newestNodeFirst),
    peers: peers.sort(newestNodeFirst),
    threads: threads.sort(newestNodeFirst),
    gpus: ofGpus,
  };
}

/** `h100` in `gpu-h100.json`. */
function nameIn(file: string): string {
  return file.replace(/^[a-z]+-|\.json$/g, '');
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return []; // there are no results yet
  }
}

interface Measured {
  readonly machine: Machine;
  /** The browser, if the results are of a page. */
  readonly browser?: string;
}

function newestNodeFirst(a: Result<Measured>, b: Result<Measured>): number {
  const major = ({ machine: { node } }: Measured) => Number.parseInt(node.slice(1));
  return major(b) - major(a) || a.file.localeCompare(b.file);
}

/** The forms that were timed, in the order of the table's columns. */
export function formsOf({ forms }: Report): readonly FormName[] {
  return forms.map(({ form }) => form);
}

/** A Markdown table. The first column is aligned left, and the others, which are numbers, right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const alignment = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map(line).join('\n');
}

/** The text of a block that has no results, with the command that measures them. */
export function notMeasured(command: string): string {
  return `Not measured yet: \`npm run bench -- ${command}\`.`;
}

/** `Node v24.1.0, from [kernels.json](results/kernels.json):`, or with the browser in place of Node. */
export function source({ machine: { node, flags }, browser, file }: Result<Measured>): string {
  const host = browser ?? ['Node', node, ...flags].join(' ');
  return `${host}, from [${file}](results/${file}):`;
}
