/** The results of an experiment, and how they are written to a file. */
import { access, constants } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { DataError, type DeviceInfo, type History } from '../../../src/index.ts';
import { writeJson } from './write-json.ts';

/** One training of one network. */
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

/** Writes seconds rounded to milliseconds, and measured values exactly, so that runs can be compared bit for bit. */
export function writeResults(file: string, results: object): Promise<void> {
  return writeJson(file, results, (key, value) =>
    key === 'seconds' && Array.isArray(value) ? value.map((s: number) => Math.round(s * 1000) / 1000) : value,
  );
}

/** Checks that the file can be written, before training starts. */
export async function expectWritable(op: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await access(dirname(file), constants.W_OK);
  } catch {
    throw new DataError(
      op,
      `cannot write into the folder of ${file}`,
      'create the folder first, or choose another file',
    );
  }
}

/** The mean over the seeds; NaN if no run of the network reached that epoch. */
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

/** The mean time of an epoch of a network. */
export function secondsPerEpoch<Name extends string>(runs: readonly NetRun<Name>[], net: Name): number {
  return average(runs.filter((run) => run.net === net).flatMap((run) => run.history.seconds));
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
