import { existsSync } from 'node:fs';

const existing = (...paths: readonly (string | undefined)[]): string | undefined =>
  paths.find((path) => path !== undefined && existsSync(path));

/**
 * The path of Chromium with windows: the variable CHROMIUM, or Debian's paths; undefined if it is not installed. For pages
 * with WebGL whose console must stay empty: without windows, Chromium writes messages of the GPU's driver there.
 */
export const windowedChromiumPath: string | undefined = existing(
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
);

/** The path of Chromium, if possible without windows: the same engine and software GPU in less CPU time. */
export const chromiumPath: string | undefined = existing(
  process.env.CHROMIUM,
  '/usr/bin/chromium-headless-shell',
  windowedChromiumPath,
);

/** Flags for WebGL2 and WebGPU without a graphics card: SwiftShader runs both on the CPU. */
export const softwareGpu: readonly string[] = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];
