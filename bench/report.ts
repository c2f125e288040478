/** What a run of the benchmarks prints and writes. */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import Table from 'cli-table3';
import type { DeviceInfo } from '../src/index.ts';
import type { KernelTiming } from './kernels.ts';
import type { StepTiming } from './steps.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  /** Processes that wanted to run in the last minute, before the benchmarks began: what else ran. */
  readonly load: number;
}

/** What `--json` writes. */
export interface Report {
  readonly benchmark: 'gammabeta';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly device: DeviceInfo;
  readonly kernels: readonly KernelTiming[];
  readonly steps: readonly StepTiming[];
  /** Why kernels were not timed: they disagree with their definition. */
  readonly refused: readonly string[];
}

export function describeMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu.model,
    cores: availableParallelism(),
    os: `${type()} ${release()}`,
    node: process.version,
    load: loadavg()[0],
  };
}

/** The machine and the device, with why faster ones were passed over. */
export function header({ machine, device }: Pick<Report, 'machine' | 'device'>): string {
  const { cpu, cores, os, node, load } = machine;
  return [
    `machine  ${cpu}, ${cores} cores, ${os}, Node ${node}, load ${load.toFixed(1)}`,
    `device   ${device.device} (${device.adapter})`,
    ...device.passedOver.map((skipped) => `         ${skipped.device} passed over: ${skipped.reason}`),
  ].join('\n');
}

export function kernelTable(timings: readonly KernelTiming[]): string {
  return tableOf(
    ['kernel', 'size', 'ms', 'GB/s', 'GFLOP/s', '±'],
    timings.map(({ kernel, size, seconds, gigabytesPerSecond, gigaflops, rme }) => [
      kernel,
      size,
      milliseconds(seconds),
      gigabytesPerSecond.toFixed(2),
      gigaflops === 0 ? '–' : gigaflops.toFixed(2),
      percent(rme),
    ]),
    2,
  );
}

export function stepTable(timings: readonly StepTiming[]): string {
  return tableOf(
    ['step', 'ms', '±'],
    timings.map(({ net, seconds, rme }) => [net, milliseconds(seconds), percent(rme)]),
    1,
  );
}

/** A table whose first columns are words and the others numbers. */
function tableOf(head: string[], rows: string[][], words: number): string {
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (column < words ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}

/** Three significant digits, never as 1e-3. */
function milliseconds(seconds: number): string {
  const ms = 1000 * seconds;
  const decimals = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(ms))));
  return ms.toFixed(decimals);
}

function percent(rme: number): string {
  return `${rme.toFixed(1)} %`;
}
