/** Finding a GPU, and opening it. */
import { DeviceError, softwareGpu } from '../../errors.ts';
import { Gpu, type GpuName, type Handle, type Library, loadGpuJs } from './gpu-js.ts';
import { type GpuBackend, GpuDevice } from './gpu-device.ts';
import { borrowNavigatorGpu } from './dawn.ts';
import {
  type AdapterInfo,
  type Canvas,
  type GpuDevice as WebGpuDevice,
  platform,
  type WebGL,
} from './platform.ts';
import { atOnce, inOrder } from './queue.ts';

/** Rasterizers that run on the CPU: SwiftShader, llvmpipe and lavapipe (Mesa), WARP (Windows). */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

const elsewhere = "use 'wasm', or 'auto' for the fastest there is";

/**
 * Opens a GPU.
 *
 * @param hardware Refuse one that is software.
 * @throws {DeviceError} It is not there, or does not work; the message says why.
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
    throw new DeviceError(name, `it cannot be opened: ${message}`, elsewhere);
  }
}

// ── WebGL ──────────────────────────────────────────────────────────────────────────────────────────────

/** Of EXT: WEBGL_debug_renderer_info. */
const UNMASKED_RENDERER = 0x9246;

async function openWebGl(hardware: boolean): Promise<GpuDevice> {
  const canvas = newCanvas();
  const context = canvas?.getContext('webgl2', { alpha: false, depth: false, antialias: false }) ?? null;
  if (canvas === null || context === null) {
    const reason = canvas === null ? 'there is no canvas outside a browser' : 'there is no WebGL2';
    throw new DeviceError('webgl', reason, elsewhere);
  }
  if (context.getExtension('EXT_color_buffer_float') === null) {
    throw new DeviceError('webgl', 'WebGL2 cannot compute in float32 here', elsewhere);
  }
  context.getExtension('WEBGL_debug_renderer_info');
  const adapter = String(context.getParameter(UNMASKED_RENDERER) ?? context.getParameter(context.RENDERER));
  const software = SOFTWARE.test(adapter);
  if (hardware && software) {
    context.getExtension('WEBGL_lose_context')?.loseContext?.(); // a page has few of them
    throw softwareGpu('webgl', adapter);
  }

  const maxSide = Number(context.getParameter(context.MAX_TEXTURE_SIZE));
  const library = await loadGpuJs();
  const gpu = new Gpu('webgl', library, { canvas, context }, maxSide);
  return new GpuDevice({
    name: 'webgl',
    adapter,
    software,
    gpu,
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
    release: (handle) => {
      deleteTexture(context, handle);
    },
  });
}

function newCanvas(): Canvas | null {
  if (platform.OffscreenCanvas !== undefined) return new platform.OffscreenCanvas(1, 1);
  return platform.document?.createElement('canvas') ?? null;
}

/** gpu.js deletes a texture by way of the kernel that made it, and not at all if that was destroyed before. */
function deleteTexture(context: WebGL, handle: Handle): void {
  handle.delete();
  const { texture, kernel } = handle;
  if (texture?._refs === 0 && kernel.context === undefined) context.deleteTexture(texture);
}

// ── WebGPU ─────────────────────────────────────────────────────────────────────────────────────────────

async function openWebGpu(hardware: boolean): Promise<GpuDevice> {
  const borrowed = platform.navigator?.gpu === undefined ? await borrowNavigatorGpu(hardware) : null;
  try {
    const entry = platform.navigator?.gpu;
    if (entry === undefined) throw new DeviceError('webgpu', 'there is no WebGPU', elsewhere);
    const found = await entry.requestAdapter();
    if (found === null) throw new DeviceError('webgpu', 'there is no GPU for WebGPU', elsewhere);
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
  const gpu = new Gpu('webgpu', library, {}, Infinity);
  const first = await gpu.upload(new Float32Array(1)); // which opens the device
  const { device } = first.context as { readonly device: WebGpuDevice };
  first.delete();
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
    gpu,
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
      const groups = [y * z === 1 ? 0 : x / 8, y / 8, z]; // a single axis is folded by gpu.js
      const most = Math.max(...groups.map(Math.ceil));
      if (most > maxComputeWorkgroupsPerDimension) {
        throw new DeviceError(
          op,
          `axes of ${threads.join(' × ')}, for which this GPU would start ${most} groups of threads; its limit is ${maxComputeWorkgroupsPerDimension}`,
          "use a smaller batch, or the device 'wasm'",
        );
      }
    },
    release: (handle) => {
      handle.delete();
    },
  };
}

function describeAdapter(info: AdapterInfo | undefined): string {
  const { description = '', vendor = '', architecture = '', device = '' } = info ?? {};
  const named = [vendor, architecture, device].filter((part) => part !== '').join(' ');
  return [description, named].filter((part) => part !== '').join(', ') || 'a GPU that does not say its name';
}
