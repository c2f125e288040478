import { cpus } from 'node:os';
import type { DeviceInfo, History } from '../../src/index.ts';
import { writeJson } from '../cli/write-json.ts';
import type { NetName } from './nets.ts';

/** One network, trained once. */
export interface Run {
  readonly net: NetName;
  readonly seed: number;
  readonly history: History;
}

/** What `--json` writes. */
export interface Results {
  readonly experiment: 'mnist-batchnorm';
  readonly data: string;
  readonly trainingImages: number;
  readonly epochs: number;
  readonly machine: { readonly cpu: string; readonly node: string; readonly device: string };
  readonly runs: readonly Run[];
}

export function describeMachine(device: DeviceInfo): Results['machine'] {
  const [cpu] = cpus();
  return { cpu: cpu.model, node: process.version, device: `${device.device} (${device.adapter})` };
}

export function writeResults(file: string, results: Results): Promise<void> {
  return writeJson(file, results, rounded);
}

/** Seconds to the millisecond; measured values whole, so that two runs can be compared bit for bit. */
function rounded(key: string, value: unknown): unknown {
  return key === 'seconds' && Array.isArray(value)
    ? value.map((s: number) => Math.round(s * 1000) / 1000)
    : value;
}
