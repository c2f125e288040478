/** Chooses the device of an experiment: the one named by `--device`, or the fastest for its network. */
import type { Command } from 'commander';
import { type DeviceInfo, type DeviceName, type Sequential, uniform, useDevice } from '../../../src/index.ts';
import { integerFrom, oneOf } from './options.ts';

const deviceNames = ['webgpu', 'webgl', 'wasm', 'cpu'] as const satisfies DeviceName[];

/** The options that `deviceOption` adds to a command. */
export interface DeviceOptions {
  readonly device?: DeviceName;
  readonly threads?: number | 'auto';
}

export function deviceOption(command: Command): Command {
  return command
    .option(
      '--device <name>',
      `device, one of ${deviceNames.join(', ')} (default: the fastest for this network, measured with a few steps)`,
      oneOf(deviceNames),
    )
    .option(
      '--threads <n>',
      'threads of the device wasm; the results are the same (default: auto, one per core)',
      threadCount,
    );
}

/** What is timed on each device. */
export interface Trial {
  readonly model: () => Sequential;
  readonly features: number;
  readonly batchSize: number;
}

/** Makes the device current, and returns a sentence that names it. */
export async function chooseDevice({ device, threads }: DeviceOptions, trial: Trial): Promise<string> {
  const options = threads === undefined ? {} : { threads };
  if (device !== undefined) return `Device: ${describe(await useDevice(device, options))}, as requested.`;
  const { model, features, batchSize } = trial;
  const batch = uniform([batchSize, features]);
  const info = await useDevice('auto', { ...options, for: model(), batch });
  return `Device: ${describe(info)}${reasonFor(info)}.`;
}

function describe({ device, adapter, threads = 1 }: DeviceInfo): string {
  return `${device} (${adapter}${threads > 1 ? `, ${threads} threads` : ''})`;
}

/** Reads the value of `--threads`. */
function threadCount(value: string): number | 'auto' {
  return value === 'auto' ? value : integerFrom(1)(value);
}

/** The times that decided, or why there is no GPU. */
function reasonFor({ measured = [], passedOver }: DeviceInfo): string {
  const times = measured.map(
    ({ device, milliseconds }) => `${milliseconds.toFixed(2)} ms a step on ${device}`,
  );
  if (times.length > 1) return `, the fastest for this network: ${times.join(', ')}`;
  const gpus = passedOver.filter(({ device }) => device === 'webgpu' || device === 'webgl');
  return gpus.length === 0
    ? ''
    : `; no GPU: ${gpus.map(({ device, reason }) => `${device}: ${reason}`).join('; ')}`;
}
