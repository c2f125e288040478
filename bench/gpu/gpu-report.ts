/** What a run of the GPU benchmarks writes. */
import type { DeviceInfo, DeviceName } from '../../src/index.ts';
import type { Machine } from '../machine.ts';
import type { GpuName } from './options.ts';
import type { SubmitMode } from './submits.ts';
import type { Network } from './trainer.ts';
import type { Sampled } from './turns.ts';

/** What `--json` writes. */
export interface GpuReport {
  readonly benchmark: 'gammabeta-gpu';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly hosts: readonly HostReport[];
}

/** What one browser, or Node, measured; empty is what was not asked for. */
export interface HostReport {
  /** `Chromium 156.0.8078.79`, `Node v24.1.0`. */
  readonly host: string;
  /** The GPUs that were measured, and whether they are software. */
  readonly devices: readonly DeviceInfo[];
  readonly passedOver: readonly PassedOverGpu[];
  readonly kernels: readonly LaunchTiming[];
  readonly steps: readonly StepTiming[];
  readonly reading: readonly ReadingTiming[];
  readonly submits: readonly SubmitTiming[];
  /** What was not timed, and why: it disagrees with its reference, or fails. */
  readonly refused: readonly string[];
}

export interface PassedOverGpu {
  readonly device: GpuName;
  readonly reason: string;
}

/** One launch of a kernel. */
export interface LaunchTiming extends Sampled {
  readonly device: GpuName;
  readonly kernel: string;
  readonly size: string;
  /** The first launch, less a later one that is awaited alike, in seconds; null where launches vary by more. */
  readonly compile: number | null;
  /** What it says that it moves, and computes; `flops` is 0 for one that only moves. */
  readonly bytes: number;
  readonly flops: number;
  /** By these, in 10⁹ per second. */
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
}

export interface NetAndBatch {
  readonly net: Network;
  readonly batch: number;
}

export interface StepTiming extends Sampled, NetAndBatch {
  readonly device: DeviceName;
}

/** A training step whose loss is read after each, and after every 16th. */
export interface ReadingTiming extends NetAndBatch {
  readonly device: GpuName;
  readonly each: Sampled;
  readonly seldom: Sampled;
}

/** A training step on WebGPU, and how often it hands something to the GPU's queue. */
export interface SubmitTiming extends Sampled, NetAndBatch {
  readonly mode: SubmitMode;
  readonly submitsPerStep: number;
  readonly writesPerStep: number;
}

/** Nothing measured yet. */
export function emptyReport(host: string): HostReport {
  return {
    host,
    devices: [],
    passedOver: [],
    kernels: [],
    steps: [],
    reading: [],
    submits: [],
    refused: [],
  };
}
