/** The report of `npm run bench:gpu`. */
import type { DeviceInfo, DeviceName } from '../../src/index.ts';
import type { ProductForm } from '../../src/tensor/device/device.ts';
import type { Machine } from '../machine.ts';
import type { CudaReport } from '../results.ts';
import type { GpuName } from './options.ts';
import type { Network } from './trainer.ts';
import type { Sampled } from './turns.ts';

/** What `--json` writes. */
export interface GpuReport {
  readonly benchmark: 'gammabeta-gpu';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly hosts: readonly HostReport[];
  /** PyTorch on the same machine's CUDA. */
  readonly pytorch?: CudaReport;
}

/** The results of one browser or of Node. Measurements that did not run are empty. */
export interface HostReport {
  /** `Chromium 156.0.8078.79`, `Node v24.1.0`. */
  readonly host: string;
  /** The GPUs that were measured. */
  readonly devices: readonly DeviceInfo[];
  readonly passedOver: readonly PassedOverGpu[];
  /** Square matrix products on WebGPU, in both forms. */
  readonly products: readonly ProductTiming[];
  readonly kernels: readonly LaunchTiming[];
  readonly steps: readonly StepTiming[];
  readonly reading: readonly ReadingTiming[];
  readonly calls: readonly CallCounts[];
  /** The same work in other libraries, in a page. Results from before they were measured have none. */
  readonly peers?: readonly PeerTiming[];
  /** Messages about measurements that failed or whose results were wrong. */
  readonly refused: readonly string[];
  /** The lines that were not measured because the time was up. */
  readonly left: readonly string[];
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
  /** The first launch minus a later one, both awaited, in seconds; null if launches vary by more than that. */
  readonly compile: number | null;
  /** The bytes and operations that the kernel states as its `cost`; `flops` is 0 if it only moves data. */
  readonly bytes: number;
  readonly flops: number;
  /** The cost divided by the time, in 10⁹ per second. */
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
}

/** A product of square matrices. */
export interface ProductTiming extends LaunchTiming {
  readonly form: ProductForm;
  readonly teraflops: number;
}

export interface NetAndBatch {
  readonly net: Network;
  readonly batch: number;
}

export interface StepTiming extends Sampled, NetAndBatch {
  readonly device: DeviceName;
}

/** A training step whose loss is read after each step (`each`), or after every 16th (`seldom`). */
export interface ReadingTiming extends NetAndBatch {
  readonly device: GpuName;
  readonly each: Sampled;
  readonly seldom: Sampled;
}

/** One step or product in a library. */
export interface PeerTiming extends Sampled {
  /** As in bench/peers, such as `step bn 32 digits`. */
  readonly workload: string;
  /** `gammabeta, WebGPU`, `jax-js, WebGPU`, … */
  readonly library: string;
}

/** The number of calls of WebGPU in a training step. */
export interface CallCounts extends NetAndBatch {
  readonly launches: number;
  readonly submits: number;
  readonly writes: number;
  readonly buffers: number;
}

/** A report without results. */
export function emptyReport(host: string): HostReport {
  return {
    host,
    devices: [],
    passedOver: [],
    products: [],
    kernels: [],
    steps: [],
    reading: [],
    calls: [],
    peers: [],
    refused: [],
    left: [],
  };
}
