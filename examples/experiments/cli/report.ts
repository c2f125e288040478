/** Where a command writes its report, and what it prints of it. */
import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DataError } from '../../../src/index.ts';
import { chartOf } from '../report/curves.ts';
import { experimentReport, type Findings } from '../report/experiment.ts';
import { terminalChart } from '../report/terminal.ts';

/** What `reportOption` adds to a command. */
export interface ReportOptions {
  readonly out: string;
}

export function reportOption(command: Command): Command {
  return command.option('--out <dir>', 'the folder for the report', 'reports');
}

/** Makes the folder; that it cannot be written into is found out before the training, not after it. */
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

/** Draws the accuracy on the terminal, and writes the report. The last line is its path. */
export async function showReport(out: string, name: string, findings: Findings): Promise<void> {
  const { heldOut } = findings;
  const curves = chartOf(findings, 'valAccuracy', `${heldOut.name} accuracy`);
  const measured = curves.series.filter(({ style }) => style !== 'points');
  const chart = terminalChart(`${heldOut.name} accuracy by epoch`, { ...curves, series: measured });
  if (chart !== '') console.log(`\n${chart}`);
  const file = join(out, name);
  const { writeReport } = await import('../report/write.ts'); // with echarts, which `--help` need not wait for
  await writeReport(file, experimentReport(findings));
  console.log(`\n${file}`);
}
