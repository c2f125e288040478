/** The browser classes that the tests use. TypeScript's library `dom` would declare all of them in Node code too. */

export interface WebGL {
  createTexture(): object | null;
  deleteTexture(texture: object | null): void;
  createProgram(): object | null;
  deleteProgram(program: object | null): void;
  getExtension(name: 'WEBGL_lose_context'): { loseContext(): void } | null;
}

export interface GpuBuffer {
  destroy(): void;
}

export interface GpuDevice {
  createBuffer(descriptor: object): GpuBuffer;
  createComputePipeline(descriptor: object): object;
  createComputePipelineAsync(descriptor: object): Promise<object>;
  destroy(): void;
}

interface GpuAdapter {
  requestDevice(descriptor?: object): Promise<GpuDevice>;
}

interface Canvas {
  getContext(kind: string, attributes?: object): object | null;
}

interface Class<T> {
  readonly prototype: T;
}

const page = (name: string): unknown => Reflect.get(globalThis, name);

export const OffscreenCanvas = page('OffscreenCanvas') as Class<Canvas>;
export const WebGL2 = page('WebGL2RenderingContext') as Class<WebGL>;
export const GPUAdapter = page('GPUAdapter') as Class<GpuAdapter>;
export const GPUDevice = page('GPUDevice') as Class<GpuDevice>;
export const GPUBuffer = page('GPUBuffer') as Class<GpuBuffer>;
