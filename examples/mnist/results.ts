import { rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { DeviceInfo, History } from '../../src/index.ts';
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

/** Writes to a file next to it first, so that there is never half a result. */
export async function writeResults(file: string, results: Results): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(results, rounded, 1)}\n`);
  await rename(temporary, file);
}

/** Seconds to the millisecond; measured values whole, so that two runs can be compared bit for bit. */
function rounded(key: string, value: unknown): unknown {
  return key === 'seconds' && Array.isArray(value)
    ? value.map((s: number) => Math.round(s * 1000) / 1000)
    : value;
}
