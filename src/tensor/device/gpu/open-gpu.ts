/**
 * Opens a GPU device. The files of this folder, in reading order:
 *
 * - `open-gpu.ts` finds a WebGL or WebGPU adapter and describes it as a `GpuBackend`.
 * - `gpu-device.ts` is the device, for either backend: upload, run, read, free. `gpu-storage.ts` is a tensor's memory.
 * - `queue.ts` hands the work to the GPU in program order.
 * - `engine.ts` is what it needs from either: memory, and kernels that run in program order.
 * - `gpu-js.ts` compiles the GPU forms of kernels with gpu.js, and launches them on WebGL.
 * - `web-gpu-engine.ts` launches them on WebGPU, and the kernels that are written in WGSL: `plans.ts` says which launches
 *   make a fusion, `commands.ts` submits them together, `blocks.ts` reuses buffers, `measure-products.ts` chooses the
 *   faster matrix products. `web-gpu.ts` declares the types of WebGPU.
 * - `dawn.ts` provides WebGPU in Node; `platform.ts` declares the types of browsers and Node that are used.
 */
import { DeviceError } from '../../errors.ts';
import { softwareGpu } from '../software-renderer.ts';
import type { GpuName } from './engine.ts';
import { type Library, loadGpuJs, WebGlEngine } from './gpu-js.ts';
import { type GpuBackend, GpuDevice } from './gpu-device.ts';
import { borrowNavigatorGpu, otherDevice } from './dawn.ts';
import { type AdapterInfo, type Canvas, platform } from './platform.ts';
import { atOnce, inOrder } from './queue.ts';
import { WebGpuEngine } from './web-gpu-engine.ts';

/** Rasterizers that run on the CPU: SwiftShader, llvmpipe and lavapipe (Mesa), WARP (Windows). */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/**
 * Opens a GPU.
 *
 * @param hardware Refuse a software GPU.
 * @throws {DeviceError} There is no such GPU, or it does not work; the message gives the reason.
 */
export async function openGpu(
  name: GpuName,
  { hardware }: { readonly hardware: boolean },
): Promise<GpuDevice> {
  try {
    return await (name === 'webgl' ? openWebGl(hardware) : openWebGpu(hardware));
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DeviceError(name, `it cannot be opened: ${message}`, otherDevice);
  }
}

// ── WebGL ──────────────────────────────────────────────────────────────────────────────────────────────

/** A constant of the WebGL extension WEBGL_debug_renderer_info. */
const UNMASKED_RENDERER = 0x9246;

async function openWebGl(hardware: boolean): Promise<GpuDevice> {
  const canvas = newCanvas();
  const context = canvas?.getContext('webgl2', { alpha: false, depth: false, antialias: false }) ?? null;
  if (canvas === null || context === null) {
    const reason = canvas === null ? 'there is no canvas outside a browser' : 'there is no WebGL2';
    throw new DeviceError('webgl', reason, otherDevice);
  }
  if (context.getExtension('EXT_color_buffer_float') === null) {
    throw new DeviceError('webgl', 'this WebGL2 cannot compute in float32', otherDevice);
  }
  context.getExtension('WEBGL_debug_renderer_info');
  const adapter = String(context.getParameter(UNMASKED_RENDERER) ?? context.getParameter(context.RENDERER));
  const software = SOFTWARE.test(adapter);
  if (hardware && software) {
    context.getExtension('WEBGL_lose_context')?.loseContext?.(); // browsers allow a page only a few contexts
    throw softwareGpu('webgl', adapter);
  }

  const maxSide = Number(context.getParameter(context.MAX_TEXTURE_SIZE));
  const library = await loadGpuJs();
  return new GpuDevice({
    name: 'webgl',
    adapter,
    software,
    engine: new WebGlEngine(library, context, { canvas, context }, maxSide),
    queue: atOnce,
    lost: () => (context.isContextLost() ? 'its WebGL context is lost' : null),
    expectFits: (op, threads) => {
      const elements = threads.reduce((product, extent) => product * extent, 1);
      if (elements <= maxSide ** 2) return;
      throw new DeviceError(
        op,
        `${elements} values do not fit into a texture of webgl, of ${maxSide} × ${maxSide}`,
        "use a smaller batch, or the device 'webgpu' or 'wasm'",
      );
    },
  });
}

function newCanvas(): Canvas | null {
  if (platform.OffscreenCanvas !== undefined) return new platform.OffscreenCanvas(1, 1);
  return platform.document?.createElement('canvas') ?? null;
}

// ── WebGPU ─────────────────────────────────────────────────────────────────────────────────────────────

async function openWebGpu(hardware: boolean): Promise<GpuDevice> {
  const borrowed = platform.navigator?.gpu === undefined ? borrowNavigatorGpu(hardware) : null;
  try {
    const entry = platform.navigator?.gpu;
    if (entry === undefined) throw new DeviceError('webgpu', 'there is no WebGPU', otherDevice);
    const found = await entry.requestAdapter();
    if (found === null) throw new DeviceError('webgpu', 'WebGPU found no GPU', otherDevice);
    const adapter = describeAdapter(found.info);
    const software =
      (found.info?.isFallbackAdapter ?? found.isFallbackAdapter ?? false) || SOFTWARE.test(adapter);
    if (hardware && software) throw softwareGpu('webgpu', adapter);
    return new GpuDevice(await webGpuBackend(await loadGpuJs(), adapter, software));
  } finally {
    borrowed?.restore();
  }
}

async function webGpuBackend(library: Library, adapter: string, software: boolean): Promise<GpuBackend> {
  const { device } = await library.WebGPUContext.acquire();
  let lost: string | null = null;
  void device.lost.then(({ reason, message }) => {
    lost ??= message === '' ? reason : message;
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    lost ??= `a submission failed: ${error.message}`;
  });
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } = device.limits;
  const maxBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  return {
    name: 'webgpu',
    adapter,
    software,
    engine: new WebGpuEngine(library, device),
    queue: inOrder(),
    lost: () => lost,
    expectFits: (op, threads) => {
      const elements = threads.reduce((product, extent) => product * extent, 1);
      const [x, y = 1, z = 1] = threads;
      if (4 * elements > maxBytes) {
        throw new DeviceError(
          op,
          `${4 * elements} bytes in one tensor; this GPU's limit is ${maxBytes}`,
          "use a smaller batch, or the device 'wasm'",
        );
      }
      const groups = [y * z === 1 ? 0 : x / 8, y / 8, z]; // gpu.js folds a single axis itself
      const most = Math.max(...groups.map(Math.ceil));
      if (most > maxComputeWorkgroupsPerDimension) {
        throw new DeviceError(
          op,
          `${threads.join(' × ')} threads need ${most} workgroups along one axis; this GPU's limit is ${maxComputeWorkgroupsPerDimension}`,
          "use a smaller batch, or the device 'wasm'",
        );
      }
    },
  };
}

function describeAdapter(info: AdapterInfo | undefined): string {
  const { description = '', vendor = '', architecture = '', device = '' } = info ?? {};
  const named = [vendor, architecture, device].filter((part) => part !== '').join(' ');
  return [description, named].filter((part) => part !== '').join(', ') || 'an unnamed GPU';
}
