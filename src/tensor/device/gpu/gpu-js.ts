/**
 * Compiles the GPU forms of kernels with gpu.js, and launches them on WebGL. This is the only file that imports gpu.js.
 * Both are loaded when a GPU device is first opened: half a megabyte that a program on the CPU does not need. In the
 * package, gpu.js is a file of its own (`src/build/packages.ts`).
 */
import type { Params } from '../../../../kernels/kernel.ts';
import { DeviceError } from '../../errors.ts';
import { type Call, callOf, type Engine, type Handle, Programs, threadsOf } from './engine.ts';
import type { WebGL } from './platform.ts';
import type { BindGroupLayout, Pipeline, WebGpuDevice } from './web-gpu.ts';

// ── translation ────────────────────────────────────────────────────────────────────────────────────────

/** A kernel in gpu.js. */
interface Program {
  (...args: readonly unknown[]): unknown;
  readonly kernel: {
    readonly constructor: { readonly mode?: string };
    readonly fallbackReason?: string | null;
    build(...args: readonly unknown[]): unknown;
  };
  destroy(): void;
}

/** gpu.js' names for each backend: the mode to request, the mode that then ran, and the type of an array on the GPU. */
const backends = {
  webgl: { mode: 'webgl2', ran: 'gpu', array: 'ArrayTexture(1)' },
  webgpu: { mode: 'webgpu', ran: 'webgpu', array: 'WebGPUBuffer' },
} as const;

type Instance = InstanceType<Library['GPU']>;

function create(
  instance: Instance,
  text: string,
  extents: readonly number[],
  types: readonly string[],
  { constants = {}, pipeline = true }: { readonly constants?: object; readonly pipeline?: boolean } = {},
): Program {
  return instance.createKernel(text, {
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
}

/** Throws if gpu.js fell back to a slower backend. */
function expectRan({ kernel }: Program, name: keyof typeof backends): void {
  const { constructor, fallbackReason } = kernel;
  if (constructor.mode === backends[name].ran && !fallbackReason) return;
  throw new DeviceError(
    name,
    `gpu.js fell back to ${constructor.mode ?? 'nothing'}: ${fallbackReason ?? 'no reason given'}`,
    "this is a bug in gammabeta: please report it; the device 'wasm' computes the same",
  );
}

// ── WebGL: gpu.js launches ─────────────────────────────────────────────────────────────────────────────

/** gpu.js' handle of a texture. */
export interface Texture extends Handle {
  clone(): Texture;
  /** The thread counts of the kernel that computed it. Kernels read it as a flat array. */
  readonly output: readonly number[];
  /** The kernel that computed it. */
  readonly kernel: { readonly context?: object };
  readonly texture: { readonly _refs: number };
}

/** The kernel that copies an array to or from the GPU. */
const COPY = 'function (x) { return x[this.thread.x]; }';

/** Runs kernels on WebGL, with gpu.js. */
export class WebGlEngine implements Engine {
  private readonly library: Library;
  private readonly instance: Instance;
  private readonly context: WebGL;
  /** The limit for the width and the height of a texture. */
  private readonly maxSide: number;
  private readonly programs = new Programs<Program>((program) => {
    program.destroy();
  });

  constructor(library: Library, context: WebGL, settings: object, maxSide: number) {
    this.library = library;
    this.context = context;
    this.instance = new library.GPU({ mode: backends.webgl.mode, ...settings });
    this.maxSide = maxSide;
  }

  get compiled(): number {
    return this.programs.size;
  }

  upload(values: Float32Array): Texture {
    const extents = [values.length];
    const program = this.programs.get(`upload ${values.length}`, () =>
      create(this.instance, COPY, extents, ['Input']),
    );
    return this.run(program, [new this.library.Input(values, extents)]) as Texture;
  }

  download(handle: Handle, size: number): Float32Array {
    const key = `download ${size} ${layout(handle)}`;
    const program = this.programs.get(key, () =>
      create(this.instance, COPY, [size], [backends.webgl.array], { pipeline: false }),
    );
    return this.run(program, [handle]) as Float32Array;
  }

  threads(name: string, sizes: readonly number[]): readonly number[] {
    return threadsOf(name, sizes);
  }

  launch(name: string, inputs: readonly Handle[], sizes: readonly number[], params: Params): Texture {
    const { source, constants, types, numbers, extents, key } = callOf(name, sizes, params);
    const folded = extents.length === 2 && Math.max(...extents) > this.maxSide;
    const program = this.programs.get([key, ...inputs.map(layout)].join(' '), () => {
      const all = [...inputs.map(() => backends.webgl.array), ...types];
      return folded
        ? create(this.instance, fold(source.thread), [extents[0], 1, extents[1]], all, { constants })
        : create(this.instance, source.thread, extents, all, { constants });
    });
    return this.run(program, [...inputs, ...numbers]) as Texture;
  }

  /** gpu.js deletes a texture through the kernel that made it, and leaks it if that kernel was destroyed before. */
  release(handle: Handle): void {
    handle.delete();
    const { texture, kernel } = handle as Texture;
    if (texture._refs === 0 && kernel.context === undefined) this.context.deleteTexture(texture);
  }

  private run(program: Program, args: readonly unknown[]): unknown {
    const result = program(...args);
    expectRan(program, 'webgl');
    return result;
  }
}

/** The size of a texture, which is compiled into the kernels that read it. */
const layout = (handle: Handle): string => (handle as Texture).output.join('×');

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

// ── WebGPU: gpu.js translates, and `web-gpu-engine.ts` launches ────────────────────────────────────────

/** A form for WebGPU, as gpu.js compiles it. */
export interface Translated {
  readonly pipeline: Pipeline;
  readonly layout: BindGroupLayout;
  /** The bytes of its numbers, and the place of each. */
  readonly bytes: number;
  readonly places: readonly number[];
}

/** What gpu.js keeps of a compiled kernel. */
interface WebGpuKernel {
  readonly computePipeline: Pipeline;
  readonly bindGroupLayout: BindGroupLayout;
  readonly paramsLayout: {
    readonly byteLength: number;
    readonly scalarArgs: readonly { readonly offset: number }[];
  };
}

/** Compiles forms for WebGPU. */
export class Translator {
  private readonly instance: Instance;

  constructor(library: Library) {
    this.instance = new library.GPU({ mode: backends.webgpu.mode });
  }

  async translate({ source, constants, types, extents }: Call, inputs: number): Promise<Translated> {
    const all = [...Array<string>(inputs).fill(backends.webgpu.array), ...types];
    const program = create(this.instance, source.thread, extents, all, { constants });
    await program.kernel.build(...all.map(() => 0)); // with `argumentTypes`, gpu.js does not look at the arguments
    expectRan(program, 'webgpu');
    const { computePipeline, bindGroupLayout, paramsLayout } = program.kernel as object as WebGpuKernel;
    program.destroy(); // the buffers that gpu.js would use itself
    return {
      pipeline: computePipeline,
      layout: bindGroupLayout,
      bytes: paramsLayout.byteLength,
      places: paramsLayout.scalarArgs.map(({ offset }) => offset),
    };
  }
}

// ── the library ────────────────────────────────────────────────────────────────────────────────────────

/** The parts of gpu.js that are used. Its own declarations are looser, and wrong about `Input`. */
export interface Library {
  readonly GPU: new (settings: object) => { createKernel(text: string, settings: object): Program };
  readonly Input: new (values: Float32Array, extents: readonly number[]) => object;
  /** The device that all its WebGPU kernels use. */
  readonly WebGPUContext: { acquire(): Promise<{ readonly device: WebGpuDevice }> };
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
