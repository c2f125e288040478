import { existsSync } from 'node:fs';

/** Debian's Chromium, or the one that CHROMIUM names; undefined where there is none. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

/** WebGL2 and WebGPU without a graphics card: SwiftShader, which computes on the CPU, and is held to the same laws. */
export const softwareGpu: readonly string[] = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];
