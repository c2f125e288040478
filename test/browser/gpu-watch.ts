/** Counts the GPU objects of a page, and simulates a lost GPU. Call `watch` before `useDevice`. */
import { GPUAdapter, GPUBuffer, GPUDevice, OffscreenCanvas, type WebGL, WebGL2 } from './page.ts';

/** The number of GPU objects that exist now. */
export interface Counts {
  /** Textures (WebGL) or buffers (WebGPU). */
  readonly memory: number;
  /** Compiled kernels. On WebGPU, which cannot release pipelines, all that were ever compiled. */
  readonly programs: number;
}

export interface GpuWatch {
  counts(): Counts;
  /** Loses the GPU, as a crash of the driver would. */
  lose(): void;
}

/** Replaces a method of a prototype by `wrapper(original)`. */
function wrap<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  wrapper: (original: T[K]) => T[K],
): void {
  prototype[name] = wrapper(prototype[name]);
}

/** Wraps a method so that `seen` gets the result, the arguments and `this` of each call. */
function observe<Result, Args extends unknown[]>(
  seen: (result: Result, args: Args, self: object) => void,
): (original: (...args: Args) => Result) => (...args: Args) => Result {
  return (original) =>
    function (this: object, ...args: Args): Result {
      const result = original.apply(this, args);
      seen(result, args, this);
      return result;
    };
}

export function watch(name: 'webgl' | 'webgpu'): GpuWatch {
  return name === 'webgl' ? watchWebGl() : watchWebGpu();
}

function watchWebGl(): GpuWatch {
  const textures = new Set<object>();
  const programs = new Set<object>();
  let context: WebGL | null = null;
  wrap(
    OffscreenCanvas.prototype,
    'getContext',
    observe<object | null, [string, object?]>((found, [kind]) => {
      if (kind === 'webgl2') context = found as WebGL | null;
    }),
  );
  const added = (set: Set<object>) =>
    observe<object | null, []>((made) => {
      if (made !== null) set.add(made);
    });
  const removed = (set: Set<object>) =>
    observe<unknown, [object | null]>((_, [gone]) => {
      if (gone !== null) set.delete(gone);
    });
  wrap(WebGL2.prototype, 'createTexture', added(textures));
  wrap(WebGL2.prototype, 'deleteTexture', removed(textures));
  wrap(WebGL2.prototype, 'createProgram', added(programs));
  wrap(WebGL2.prototype, 'deleteProgram', removed(programs));
  return {
    counts: () => ({ memory: textures.size, programs: programs.size }),
    lose: () => {
      const extension = context?.getExtension('WEBGL_lose_context') ?? null;
      if (extension === null) throw new Error('there is no context to lose');
      extension.loseContext();
    },
  };
}

function watchWebGpu(): GpuWatch {
  const buffers = new Set<object>();
  let pipelines = 0;
  let device: GPUDeviceOf | null = null;
  wrap(
    GPUAdapter.prototype,
    'requestDevice',
    observe((found: Promise<GPUDeviceOf>) => {
      void found.then((opened) => {
        device = opened;
      });
    }),
  );
  wrap(
    GPUDevice.prototype,
    'createBuffer',
    observe((made) => {
      buffers.add(made);
    }),
  );
  wrap(
    GPUBuffer.prototype,
    'destroy',
    observe((_result, _args, self) => {
      buffers.delete(self);
    }),
  );
  wrap(
    GPUDevice.prototype,
    'createComputePipeline',
    observe(() => {
      pipelines++;
    }),
  );
  wrap(
    GPUDevice.prototype,
    'createComputePipelineAsync',
    observe(() => {
      pipelines++;
    }),
  );
  return {
    counts: () => ({ memory: buffers.size, programs: pipelines }),
    lose: () => {
      if (device === null) throw new Error('there is no device to lose');
      device.destroy();
    },
  };
}

type GPUDeviceOf = (typeof GPUDevice)['prototype'];
