/** What a GPU device needs from WebGL or WebGPU: memory, and kernels that run in program order. */
import type { Fusion } from '../../../../kernels/fused/fusion.ts';
import type { GpuSource } from '../../../../kernels/gpu/form.ts';
import { sources } from '../../../../kernels/gpu/sources.generated.ts';
import type { Params, Shape } from '../../../../kernels/kernel.ts';
import type { DeviceName, ProductForm, Products } from '../device.ts';

export type Maybe<T> = T | Promise<T>;
export type GpuName = 'webgl' | ('webgpu' & DeviceName);

/** The memory of an array on the GPU, with the number of its holders. */
export interface Handle {
  /** The same memory, with one more holder. */
  clone(): Handle;
  /** Gives up one holder. Without holders, the memory is free. */
  delete(): void;
}

/** One GPU: launches kernels by name, on handles. */
export interface Engine {
  /** The number of compiled kernels. */
  readonly compiled: number;
  upload(values: Float32Array): Maybe<Handle>;
  /** A copy of an array. */
  download(handle: Handle, size: number): Maybe<Float32Array>;
  /** The number of threads along each axis, without trailing axes of one thread. */
  threads(name: string, sizes: readonly number[]): readonly number[];
  /** Runs a kernel. `sizes` are its loop bounds. */
  launch(name: string, inputs: readonly Handle[], sizes: readonly number[], params: Params): Maybe<Handle>;
  release(handle: Handle): void;
  /** Fused kernels: on WebGPU only. */
  readonly fused?: FusedEngine;
}

/** Runs a fusion in a few launches. */
export interface FusedEngine {
  /** Whether it can run a fusion on inputs of these shapes; otherwise its kernels run one by one. */
  has(fusion: Fusion<never>, shapes: readonly Shape[]): boolean;
  run(
    fusion: Fusion<never>,
    inputs: readonly Handle[],
    shapes: readonly Shape[],
    params: Params,
  ): Maybe<readonly Handle[]>;
  /** Which matrix products run, and why. */
  readonly products: Products;
  /** The kernels that the driver refused, with its reasons. */
  readonly refused: readonly string[];
  /** Chooses the matrix products; undefined leaves the choice to a measurement. */
  choose(products: ProductForm | undefined): void;
}

/** How a form is called at some sizes. */
export interface Call {
  readonly source: GpuSource;
  /** The sizes that are compiled in. */
  readonly constants: Readonly<Record<string, number>>;
  /** The type of each number after the inputs, in gpu.js' words. */
  readonly types: readonly ('Integer' | 'Float')[];
  /** These numbers. */
  readonly numbers: readonly number[];
  readonly extents: readonly number[];
  /** The same for all calls that can share one compiled kernel. */
  readonly key: string;
}

export function threadsOf(name: string, sizes: readonly number[]): readonly number[] {
  const [x, y = 1, z = 1] = sources[name].threads(sizes);
  if (z > 1) return [x, y, z];
  return y > 1 ? [x, y] : [x];
}

export function callOf(name: string, sizes: readonly number[], params: Params): Call {
  const source = sources[name];
  const { numbers, sizes: names, constants: used, derived } = source;
  const sizeOf = (size: string) => sizes[names.indexOf(size)];
  const constants = Object.fromEntries(used.map((size) => [size, sizeOf(size)]));
  const extents = threadsOf(name, sizes);
  return {
    source,
    constants,
    types: numbers.map((number) => (names.includes(number) ? 'Integer' : 'Float')),
    numbers: numbers.map((number) =>
      names.includes(number) ? sizeOf(number) : (derived?.[number]?.(params) ?? params[number]),
    ),
    extents,
    key: [name, extents.join(), Object.values(constants).join()].join(' '),
  };
}

/** A cache of compiled kernels, the least recently used first. */
export class Programs<T> {
  private readonly programs = new Map<string, T>();
  private readonly dropped: (program: T) => void;

  /** @param dropped Called with a kernel that is no longer kept. */
  constructor(dropped: (program: T) => void) {
    this.dropped = dropped;
  }

  get size(): number {
    return this.programs.size;
  }

  get(key: string, compile: () => T): T {
    const found = this.programs.get(key);
    if (found !== undefined) {
      this.programs.delete(key);
      this.programs.set(key, found);
      return found;
    }
    const program = compile();
    this.programs.set(key, program);
    for (const [oldest, other] of this.programs) {
      if (this.programs.size <= CAPACITY) break;
      this.programs.delete(oldest);
      this.dropped(other);
    }
    return program;
  }
}

/** How many compiled kernels are kept. A training step of a small network uses about 60. */
const CAPACITY = 512;
