/** Tests of a training step on WebGPU in Node, on Chromium's software GPU: its calls, and kernels that are refused. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CallsFound } from './gpu-calls-program.ts';

/** SwiftShader as a Vulkan driver. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';
const isMissing = ![driver, loader].every((file) => existsSync(file));

async function run(...args: readonly string[]): Promise<CallsFound> {
  const program = join(import.meta.dirname, 'gpu-calls-program.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, ...args], {
    env: { ...process.env, VK_ICD_FILENAMES: driver },
    timeout: 110_000,
  });
  return JSON.parse(stdout) as CallsFound;
}

describe.skipIf(isMissing)('a training step on webgpu in Node', () => {
  it('takes few launches and at most two submits', { timeout: 120_000 }, async () => {
    const { plain, bn, products } = await run();
    for (const [found, most] of [
      [plain, 22],
      [bn, 42],
    ] as const) {
      expect(found?.submits).toBeLessThanOrEqual(2);
      expect(found?.launches).toBeLessThanOrEqual(most);
      // Buffers are used again, but for that of the loss, which the program holds until garbage collection.
      expect(found?.buffers).toBeLessThanOrEqual(1);
      expect(found?.error).toBeLessThan(1e-4);
    }
    expect(products).toEqual(['gpu.js', 'tiled']);
  });

  it('a kernel that the driver refuses is replaced, and reported', { timeout: 120_000 }, async () => {
    const { refused } = await run('refuse');
    expect(refused?.right).toBe(true);
    expect(refused?.lines?.map((line) => /^\w+: /.exec(line)?.[0]).sort()).toEqual([
      'denseDz: ',
      'softmaxCrossEntropy: ',
    ]);
  });
});
