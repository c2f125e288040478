/** The options of the GPU benchmarks, shared by the command, the page and the process in Node. */
import type { PeerName } from './peers.ts';

export const gpuNames = ['webgl', 'webgpu'] as const;

export type GpuName = (typeof gpuNames)[number];

export interface GpuOptions {
  /** The other libraries that are installed, which a page times too. */
  readonly peers?: readonly PeerName[];
  readonly devices: readonly GpuName[];
  readonly filter: string;
  readonly quick: boolean;
  /** Whether to measure software GPUs too. */
  readonly software: boolean;
  /** After this many seconds no measurement begins. */
  readonly seconds: number;
}

/** Whether a line contains the filter. An `x` between digits stands for ×. */
export function leaves(filter: string, line: string): boolean {
  return line.includes(filter.replaceAll(/(\d)x(?=\d)/g, '$1×'));
}
