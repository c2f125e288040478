/**
 * Compiles the GPU forms of kernels with gpu.js and launches them. This is the only file that imports gpu.js. Both are
 * loaded when a GPU device is first opened: half a megabyte that a program on the CPU does not need. In the package,
 * gpu.js is a file of its own (`src/build/packages.ts`).
 */
import { sources } from '../../../../kernels/gpu/sources.generated.ts';
import type { Params } from '../../../../kernels/kernel.ts';
import type { DeviceName } from '../device.ts';
import { DeviceError } from '../../errors.ts';

export type Maybe<T> = T | Promise<T>;

/** gpu.js' handle of a texture or buffer that holds an array. */
export interface Handle {
  /** The thread counts of the kernel that computed it. Kernels read it as a flat array. */
  readonly output: readonly number[];
  delete(): void;
  clone(): Handle;
  /** The kernel that computed it. */
  readonly kernel: { readonly context?: object };
  /** WebGL: the texture, with the number of its handles. */
  readonly texture?: { readonly _refs: number };
  /** WebGPU: the device. */
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

/** gpu.js' names for each backend: the mode to request, the mode that then ran, and the type of an array on the GPU. */
const backends = {
  webgl: { mode: 'webgl2', ran: 'gpu', array: 'ArrayTexture(1)' },
  webgpu: { mode: 'webgpu', ran: 'webgpu', array: 'WebGPUBuffer' },
} as const;
export type GpuName = keyof typeof backends & DeviceName;

/** How many compiled kernels are kept. A training step of a small network uses about 60. */
const CAPACITY = 512;

/** The kernel that copies an array to or from the GPU. */
const COPY = 'function (x) { return x[this.thread.x]; }';

/** One GPU: launches kernels by name, on handles. */
export class Gpu {
  readonly name: GpuName;
  private readonly library: Library;
  private readonly instance: InstanceType<Library['GPU']>;
  /** WebGL's limit for the width and the height of a texture. */
  private readonly maxSide: number;
  /** Compiled kernels, the least recently used first. */
  private readonly programs = new Map<string, Program>();

  constructor(name: GpuName, library: Library, settings: object, maxSide: number) {
    this.name = name;
    this.library = library;
    this.instance = new library.GPU({ mode: backends[name].mode, ...settings });
    this.maxSide = maxSide;
  }

  /** The number of compiled kernels. */
  get compiled(): number {
    return this.programs.size;
  }

  upload(values: Float32Array): Maybe<Handle> {
    const extents = [values.length];
    const program = this.program(`upload ${values.length}`, COPY, extents, { types: ['Input'] });
    return this.run(program, [new this.library.Input(values, extents)]) as Maybe<Handle>;
  }

  /** Copies an array from the GPU. */
  download(handle: Handle, size: number): Maybe<Float32Array> {
    const types = [backends[this.name].array];
    const key = `download ${size} ${this.layout(handle)}`;
    const program = this.program(key, COPY, [size], { types, pipeline: false });
    return this.run(program, [handle]) as Maybe<Float32Array>;
  }

  /** The number of threads along each axis, without trailing axes of one thread. */
  threads(name: string, sizes: readonly number[]): readonly number[] {
    const [x, y = 1, z = 1] = sources[name].threads(sizes);
    if (z > 1) return [x, y, z];
    return y > 1 ? [x, y] : [x];
  }

  /** Runs a kernel. `sizes` are its loop bounds. */
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
   * The part of a handle that a compiled kernel depends on. On WebGL, the size of each input's texture is compiled
   * into the shader.
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
      tactic: 'precision', // otherwise small shaders are `lowp`, which phones do compute in low precision
      fixIntegerDivisionAccuracy: false, // no form divides indices, and the fix turns −0 into 0
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

  /** Runs a compiled kernel. If gpu.js falls back to a slower backend, that is an error. */
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
 * The text of a thread with y and z exchanged. gpu.js gives a kernel of two axes a texture of just these extents, which
 * may exceed the limit; a kernel of threads [x, 1, z] gets a texture that is nearly square.
 */
function fold(thread: string): string {
  return thread.replaceAll(
    /\bthis\.thread\.([yz])\b/g,
    (_, axis) => `this.thread.${axis === 'y' ? 'z' : 'y'}`,
  );
}

/** The parts of gpu.js that are used. Its own declarations are looser, and wrong about `Input`. */
export interface Library {
  readonly GPU: new (settings: object) => { createKernel(text: string, settings: object): Program };
  readonly Input: new (values: Float32Array, extents: readonly number[]) => object;
}

/** Globals that gpu.js defines in a page; `GPU` replaces the browser's own. */
const GLOBALS = ['GPU', 'glWiretap'];

/** Imports gpu.js and restores the globals that it replaces. */
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
