/** What a run of the GPU benchmarks is asked for, in the command, in Node and in the page alike. */
export const gpuNames = ['webgl', 'webgpu'] as const;

export type GpuName = (typeof gpuNames)[number];

export interface GpuOptions {
  readonly devices: readonly GpuName[];
  readonly filter: string;
  readonly quick: boolean;
  /** Whether a GPU that is software is measured too. */
  readonly software: boolean;
}

/** Whether the filter leaves a line; `x` between digits is ×, which no keyboard has. */
export function leaves(filter: string, line: string): boolean {
  return line.includes(filter.replaceAll(/(\d)x(?=\d)/g, '$1×'));
}
