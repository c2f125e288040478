/**
 * gpu.js: compiles the gpu forms of kernels, and runs them. The only file that names it. It is loaded when a GPU
 * is first asked for, as is this file: half a megabyte that a program on the CPU has no use for.
 */
import { sources } from '../../../../kernels/gpu/sources.generated.ts';
import type { Params } from '../../../../kernels/kernel.ts';
import type { DeviceName } from '../device.ts';
import { DeviceError } from '../../errors.ts';

export type Maybe<T> = T | Promise<T>;

/** Values on the GPU: gpu.js' handle of a texture or a buffer. */
export interface Handle {
  /** The extents with which it was computed. Kernels read it as one flat array, whatever these are. */
  readonly output: readonly number[];
  delete(): void;
  clone(): Handle;
  /** The kernel that it came from, and for WebGL its texture, with the number of handles to it. */
  readonly kernel: { readonly context?: object };
  readonly texture?: { readonly _refs: number };
  /** For WebGPU, the device. */
  readonly context?: object;
}

/** A compiled kernel. */
interface Program {
  (...args: readonly unknown[]): unknown;
  readonly kernel: {
    readonly constructor: { readonly mode?: string };
    readonly fallbackReason?: string | null;
  };
  destroy(): void;
}

/** What gpu.js calls the two backends, before and after, and the type of an array that is on the GPU. */
const backends = {
  webgl: { mode: 'webgl2', ran: 'gpu', array: 'ArrayTexture(1)' },
  webgpu: { mode: 'webgpu', ran: 'webgpu', array: 'WebGPUBuffer' },
} as const;
export type GpuName = keyof typeof backends & DeviceName;

/** Compiled kernels that are kept; a training step of a small network takes some 60. */
const CAPACITY = 512;

/** The form that moves data to the GPU and from it. */
const COPY = 'function (x) { return x[this.thread.x]; }';

/** One GPU: kernels by name, on handles. */
export class Gpu {
  readonly name: GpuName;
  private readonly library: Library;
  private readonly instance: InstanceType<Library['GPU']>;
  /** WebGL's: textures are no wider and no higher. */
  private readonly maxSide: number;
  /** The least recently used first. */
  private readonly programs = new Map<string, Program>();

  constructor(name: GpuName, library: Library, settings: object, maxSide: number) {
    this.name = name;
    this.library = library;
    this.instance = new library.GPU({ mode: backends[name].mode, ...settings });
    this.maxSide = maxSide;
  }

  /** How many compiled kernels there are. */
  get compiled(): number {
    return this.programs.size;
  }

  upload(values: Float32Array): Maybe<Handle> {
    const extents = [values.length];
    const program = this.program(`upload ${values.length}`, COPY, extents, { types: ['Input'] });
    return this.run(program, [new this.library.Input(values, extents)]) as Maybe<Handle>;
  }

  /** The values, in order. */
  download(handle: Handle, size: number): Maybe<Float32Array> {
    const types = [backends[this.name].array];
    const key = `download ${size} ${this.layout(handle)}`;
    const program = this.program(key, COPY, [size], { types, pipeline: false });
    return this.run(program, [handle]) as Maybe<Float32Array>;
  }

  /** How many threads a kernel takes along each axis, to the last one that has more than one. */
  threads(name: string, sizes: readonly number[]): readonly number[] {
    const [x, y = 1, z = 1] = sources[name].threads(sizes);
    if (z > 1) return [x, y, z];
    return y > 1 ? [x, y] : [x];
  }

  /** Runs a kernel; `sizes` are what its loops run over. */
  launch(name: string, inputs: readonly Handle[], sizes: readonly number[], params: Params): Maybe<Handle> {
    const { thread, numbers, sizes: names, constants: used, derived } = sources[name];
    const sizeOf = (size: string) => sizes[names.indexOf(size)];
    const constants = Object.fromEntries(used.map((size) => [size, sizeOf(size)]));
    const extents = this.threads(name, sizes);
    const layouts = inputs.map((input) => this.layout(input));
    const key = [name, extents.join(), Object.values(constants).join(), layouts.join()].join(' ');
    const { array } = backends[this.name];
    const types = [
      ...inputs.map(() => array),
      ...numbers.map((number) => (names.includes(number) ? 'Integer' : 'Float')),
    ];
    const values = numbers.map((number) =>
      names.includes(number) ? sizeOf(number) : (derived?.[number]?.(params) ?? params[number]),
    );
    const folded = extents.length === 2 && Math.max(...extents) > this.maxSide;
    const program = folded
      ? this.program(key, fold(thread), [extents[0], 1, extents[1]], { types, constants })
      : this.program(key, thread, extents, { types, constants });
    return this.run(program, [...inputs, ...values]) as Maybe<Handle>;
  }

  /**
   * The part of a handle that a compiled kernel depends on: on WebGL the size of the texture is written into the
   * shader, and no later call looks at it again.
   */
  private layout(handle: Handle): string {
    return this.name === 'webgl' ? handle.output.join('×') : '';
  }

  private program(
    key: string,
    text: string,
    extents: readonly number[],
    {
      types,
      constants = {},
      pipeline = true,
    }: { types: readonly string[]; constants?: object; pipeline?: boolean },
  ): Program {
    const found = this.programs.get(key);
    if (found !== undefined) {
      this.programs.delete(key);
      this.programs.set(key, found);
      return found;
    }
    const program = this.instance.createKernel(text, {
      output: [...extents],
      argumentTypes: [...types],
      constants: { ...constants },
      constantTypes: Object.fromEntries(Object.keys(constants).map((size) => [size, 'Integer'])),
      precision: 'single',
      tactic: 'precision', // else small shaders are in `lowp`, which phones take at its word
      fixIntegerDivisionAccuracy: false, // indices are not divided, and it makes 0 of −0
      pipeline,
      immutable: pipeline,
    });
    this.programs.set(key, program);
    for (const [oldest, other] of this.programs) {
      if (this.programs.size <= CAPACITY) break;
      this.programs.delete(oldest);
      other.destroy();
    }
    return program;
  }

  /** gpu.js goes on somewhere slower when something does not work; that is an error here. */
  private run(program: Program, args: readonly unknown[]): unknown {
    const result = program(...args);
    const { constructor, fallbackReason } = program.kernel;
    if (constructor.mode === backends[this.name].ran && !fallbackReason) return result;
    throw new DeviceError(
      this.name,
      `gpu.js fell back to ${constructor.mode ?? 'nothing'}: ${fallbackReason ?? 'no reason given'}`,
      "this is a bug in gammabeta: please report it; the device 'wasm' computes the same",
    );
  }
}

/**
 * A thread whose y is its z, and the other way round. With two axes, WebGL's textures have their extents; with a third
 * one, and nothing in between, as near a square as can be.
 */
function fold(thread: string): string {
  return thread.replaceAll(
    /\bthis\.thread\.([yz])\b/g,
    (_, axis) => `this.thread.${axis === 'y' ? 'z' : 'y'}`,
  );
}

/** What is used of gpu.js, whose own declarations are looser, and wrong about `Input`. */
export interface Library {
  readonly GPU: new (settings: object) => { createKernel(text: string, settings: object): Program };
  readonly Input: new (values: Float32Array, extents: readonly number[]) => object;
}

/** What gpu.js makes of itself in a page, the first in the place of the browser's own. */
const GLOBALS = ['GPU', 'glWiretap'];

/** gpu.js. The globals are put back as they were. */
export async function loadGpuJs(): Promise<Library> {
  const before = GLOBALS.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  const loaded: unknown = await import('gpu.js');
  const library = loaded as Library & { readonly default?: Library };
  GLOBALS.forEach((name, k) => {
    const own = before[k];
    if (own !== undefined) Object.defineProperty(globalThis, name, own);
    else Reflect.deleteProperty(globalThis, name);
  });
  return library.default ?? library;
}
