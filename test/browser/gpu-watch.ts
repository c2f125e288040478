/** What the GPU devices are made of, seen from below: counted, and taken away. Watch before `useDevice`. */
import { GPUAdapter, GPUBuffer, GPUDevice, OffscreenCanvas, type WebGL, WebGL2 } from './page.ts';

/** What exists at a moment. */
export interface Counts {
  /** Textures, or buffers. */
  readonly memory: number;
  /** Compiled kernels. WebGPU cannot give one back: all that there ever were. */
  readonly programs: number;
}

export interface GpuWatch {
  counts(): Counts;
  /** Takes the GPU away, as a driver that crashes does. */
  lose(): void;
}

/** Puts another method in a prototype's place, which gets the one that was there. */
function wrap<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  wrapper: (original: T[K]) => T[K],
): void {
  prototype[name] = wrapper(prototype[name]);
}

/** Calls `seen` with the result of each call, its arguments and this. */
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
