/** Runs the GPU benchmarks in Node, in a separate process, because a failing driver can end it. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GpuOptions } from './options.ts';
import type { HostReport } from './gpu-report.ts';
import type { Message } from './server.ts';

/** Chromium's software GPU on Debian. Not used if the user names another Vulkan driver. */
const SOFTWARE_DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** @param next Called before each measurement with a line that describes it, and the results so far. */
export function measureInNode(
  options: GpuOptions,
  next: (line: string, soFar: HostReport) => void,
  signal: AbortSignal,
): Promise<HostReport> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'node-process.ts'), { env: environment(options) });
    const end = () => child.kill();
    signal.addEventListener('abort', end, { once: true });
    child.on('message', (message: Message) => {
      if ('line' in message) {
        next(message.line, message.soFar);
        return;
      }
      end();
      if ('report' in message) resolve(message.report);
      else reject(new Error(message.failure));
    });
    child.once('exit', (code, killedBy) => {
      signal.removeEventListener('abort', end);
      reject(
        signal.aborted
          ? (signal.reason as Error)
          : new Error(`the process ended with ${killedBy ?? String(code)}`),
      );
    });
    child.send(options);
  });
}

function environment({ software }: GpuOptions): NodeJS.ProcessEnv {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES } = process.env;
  const chosen = VK_ICD_FILENAMES ?? VK_DRIVER_FILES;
  if (!software || chosen !== undefined || !existsSync(SOFTWARE_DRIVER)) return process.env;
  return { ...process.env, VK_ICD_FILENAMES: SOFTWARE_DRIVER };
}
