/** The report of a command: its option, its chart in the terminal, and its file. */
import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DataError } from '../../../src/index.ts';
import { chartOf } from '../report/curves.ts';
import { experimentReport, type Findings } from '../report/experiment.ts';
import { terminalChart } from '../report/terminal.ts';

/** The option that `reportOption` adds to a command. */
export interface ReportOptions {
  readonly out: string;
}

export function reportOption(command: Command): Command {
  return command.option('--out <dir>', 'folder of the report', 'reports');
}

/** Creates the folder and checks that it is writable, before training starts. */
export async function expectFolder(op: string, { out }: ReportOptions): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
    await access(out, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? `: ${String(error.code)}` : '';
    throw new DataError(
      op,
      `the report cannot be written into the folder ${out}${why}`,
      'name another one with --out',
    );
  }
}

/** Prints a chart of the accuracy, writes the report, and prints its path as the last line. */
export async function showReport(out: string, name: string, findings: Findings): Promise<void> {
  const { heldOut } = findings;
  const curves = chartOf(findings, 'valAccuracy', `${heldOut.name} accuracy`);
  const measured = curves.series.filter(({ style }) => style !== 'points');
  const chart = terminalChart(`${heldOut.name} accuracy by epoch`, { ...curves, series: measured });
  if (chart !== '') console.log(`\n${chart}`);
  const file = join(out, name);
  const { writeReport } = await import('../report/page.tsx'); // loaded here because charts load slowly, and --help does not need them
  await writeReport(file, experimentReport(findings));
  console.log(`\n${file}`);
}
