import { existsSync } from 'node:fs';

/** The path of Chromium: the variable CHROMIUM, or Debian's paths; undefined if it is not installed. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

/** Flags for WebGL2 and WebGPU without a graphics card: SwiftShader runs both on the CPU. */
export const softwareGpu: readonly string[] = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];
