/** Runs the GPU benchmarks in headless Chromium. */
import { chromium } from 'playwright';
import { quietFlags } from '../chromium.ts';
import type { GpuOptions } from './options.ts';
import type { HostReport } from './gpu-report.ts';
import { type Message, serve } from './server.ts';

/** Flags for WebGL2 and WebGPU on SwiftShader, a software GPU that computes on the CPU. */
const softwareGpu: readonly string[] = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/**
 * Flags for a graphics card, which headless Chromium does not use by default. On Linux it is reached through Vulkan,
 * without a window; on other systems Chromium's default is right.
 */
const hardwareGpu: readonly string[] = [
  '--enable-gpu',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  ...(process.platform === 'linux'
    ? ['--use-angle=vulkan', '--enable-features=Vulkan', '--disable-vulkan-surface']
    : []),
];

/** @param next Called before each measurement with a line that describes it, and the results so far. */
export async function measureInChromium(
  executablePath: string,
  options: GpuOptions,
  next: (line: string, soFar: HostReport) => void,
  signal: AbortSignal,
): Promise<HostReport> {
  let receive: (message: Message) => void = () => undefined;
  const server = await serve(options, (message) => receive(message));
  const flags = options.software ? softwareGpu : hardwareGpu;
  const browser = await chromium.launch({ executablePath, args: [...quietFlags, ...flags] });
  try {
    const page = await browser.newPage();
    const measured = new Promise<HostReport>((resolve, reject) => {
      const failed = (reason: string) => reject(new Error(reason));
      page.once('crash', () => failed('the page crashed'));
      page.once('pageerror', ({ message }) => failed(message));
      browser.once('disconnected', () => failed('the browser ended'));
      signal.addEventListener('abort', () => failed('interrupted'), { once: true });
      receive = (message) => {
        if ('line' in message) next(message.line, message.soFar);
        else if ('report' in message) resolve(message.report);
        else failed(message.failure);
      };
    });
    const [report] = await Promise.all([measured, page.goto(server.address)]);
    return { ...report, host: `Chromium ${browser.version()}, headless` };
  } finally {
    await browser.close();
    server.close();
  }
}
