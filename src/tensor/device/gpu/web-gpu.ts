/** The parts of WebGPU that are used. TypeScript's `dom` library would declare a whole page. */

export interface GpuBuffer {
  readonly size: number;
  destroy(): void;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
}

export interface BindGroupLayout {
  readonly label: string;
}

export interface Pipeline {
  readonly label: string;
}

export interface Binding {
  readonly binding: number;
  readonly resource: { readonly buffer: GpuBuffer; readonly offset?: number; readonly size?: number };
}

export interface ComputePass {
  setPipeline(pipeline: Pipeline): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

export interface CommandEncoder {
  beginComputePass(): ComputePass;
  copyBufferToBuffer(from: GpuBuffer, fromAt: number, to: GpuBuffer, toAt: number, bytes: number): void;
  finish(): object;
}

export interface WebGpuDevice {
  readonly limits: {
    readonly maxStorageBufferBindingSize: number;
    readonly maxBufferSize: number;
    readonly maxComputeWorkgroupsPerDimension: number;
  };
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    submit(commands: readonly object[]): void;
    writeBuffer(
      buffer: GpuBuffer,
      at: number,
      data: ArrayBuffer | Float32Array,
      from?: number,
      size?: number,
    ): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
  pushErrorScope(filter: 'validation'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroupLayout(descriptor: object): BindGroupLayout;
  createPipelineLayout(descriptor: object): object;
  createShaderModule(descriptor: { readonly code: string }): object;
  createComputePipelineAsync(descriptor: object): Promise<Pipeline>;
  createBindGroup(descriptor: {
    readonly layout: BindGroupLayout;
    readonly entries: readonly Binding[];
  }): object;
  createCommandEncoder(): CommandEncoder;
}

/** Constants of WebGPU, which are globals only in a page. */
export const USAGE = { uniform: 0x40, storage: 0x80, copyFrom: 0x04, copyTo: 0x08, mapRead: 0x01 } as const;
export const MAP_READ = 0x01;
export const COMPUTE = 0x04;
