/** What an experiment measures, and how it is written. */
import { access, constants } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { DataError, type DeviceInfo, type History } from '../../../src/index.ts';
import { writeJson } from './write-json.ts';

/** One network, trained once. */
export interface NetRun<Name extends string> {
  readonly net: Name;
  readonly seed: number;
  readonly history: History;
}

export interface Machine {
  readonly cpu: string;
  readonly node: string;
  readonly device: string;
}

export function describeMachine(device: DeviceInfo): Machine {
  const [cpu] = cpus();
  return { cpu: cpu.model, node: process.version, device: `${device.device} (${device.adapter})` };
}

/** Seconds to the millisecond; measured values whole, so that two runs can be compared bit for bit. */
export function writeResults(file: string, results: object): Promise<void> {
  return writeJson(file, results, (key, value) =>
    key === 'seconds' && Array.isArray(value) ? value.map((s: number) => Math.round(s * 1000) / 1000) : value,
  );
}

/** Found out before the training, not after it. */
export async function expectWritable(op: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await access(dirname(file), constants.W_OK);
  } catch {
    throw new DataError(
      op,
      `cannot write into the folder of ${file}`,
      'make the folder first, or name another file',
    );
  }
}

/** The mean over seeds; NaN where no run of that net got that far. */
export function mean<Name extends string>(
  runs: readonly NetRun<Name>[],
  net: Name,
  column: string,
  epoch: number,
): number {
  const values = runs
    .filter((run) => run.net === net && run.history[column].length >= epoch)
    .map((run) => run.history[column][epoch - 1]);
  return average(values);
}

/** The mean time of a net's epochs. */
export function secondsPerEpoch<Name extends string>(runs: readonly NetRun<Name>[], net: Name): number {
  return average(runs.filter((run) => run.net === net).flatMap((run) => run.history.seconds));
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
