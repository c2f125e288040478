/** The committed results, which README.md quotes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckoutReport } from './checkouts.ts';
import type { FormName } from './forms.ts';
import type { GpuReport } from './gpu/gpu-report.ts';
import type { PeersReport } from './peers/peers-report.ts';
import type { Machine } from './machine.ts';
import type { Report } from './suite-report.ts';

/** What a file of `results` holds, and its name. */
export type Result<T> = T & { readonly file: string };

/** Reports that README.md does not quote. */
type NotQuoted = GpuReport | CheckoutReport;

export interface Results {
  readonly suites: readonly Result<Report>[];
  readonly peers: readonly Result<PeersReport>[];
}

/**
 * All of a folder, the newest Node first.
 *
 * @throws {Error} One of them was a look, not a measurement.
 */
export function readResults(folder: string = join(import.meta.dirname, 'results')): Results {
  const suites: Result<Report>[] = [];
  const peers: Result<PeersReport>[] = [];
  for (const file of filesOf(folder)) {
    const report = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Report | PeersReport | NotQuoted;
    if (report.quick) throw new Error(`${file}: measured with --quick. Hint: measure again without it`);
    if (report.benchmark === 'gammabeta') suites.push({ ...report, file });
    else if (report.benchmark === 'gammabeta peers') peers.push({ ...report, file });
  }
  return { suites: suites.sort(newestNodeFirst), peers: peers.sort(newestNodeFirst) };
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return []; // nothing was measured yet
  }
}

interface Measured {
  readonly machine: Machine;
}

function newestNodeFirst(a: Result<Measured>, b: Result<Measured>): number {
  const major = ({ machine: { node } }: Measured) => Number.parseInt(node.slice(1));
  return major(b) - major(a) || a.file.localeCompare(b.file);
}

/** The forms that were timed, in their order. */
export function formsOf({ forms }: Report): readonly FormName[] {
  return forms.map(({ form }) => form);
}

/** A Markdown table; the first column is words, the others numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const alignment = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map(line).join('\n');
}

/** What stands where there is nothing to quote. */
export function notMeasured(command: string): string {
  return `Not measured yet: \`npm run bench -- ${command}\`.`;
}

/** `Node v24.1.0, from [kernels.json](results/kernels.json):` */
export function source({ machine: { node, flags }, file }: Result<Measured>): string {
  return `Node ${[node, ...flags].join(' ')}, from [${file}](results/${file}):`;
}
