/** The calls of WebGPU in a training step, counted in Node on Chromium's software GPU: a count is a count there too. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Found } from './gpu-calls-program.ts';

/** SwiftShader as a Vulkan driver. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';
const isMissing = ![driver, loader].every((file) => existsSync(file));

async function run(): Promise<Found> {
  const program = join(import.meta.dirname, 'gpu-calls-program.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    env: { ...process.env, VK_ICD_FILENAMES: driver },
    timeout: 290_000,
  });
  return JSON.parse(stdout) as Found;
}

describe.skipIf(isMissing)('on webgpu in Node', () => {
  let found: Found;
  beforeAll(async () => {
    found = await run();
  }, 300_000);

  // The number of new buffers depends on garbage collection: webgpu-training-program.ts tests that none leak.
  it('a training step takes at most 20 launches, with normalization 40, and two submits', () => {
    const most: Readonly<Record<string, number>> = { plain: 20, bn: 40, ln: 35 };
    expect(found.steps.map(({ net }) => net)).toEqual(Object.keys(most));
    for (const { net, launches, submits, error } of found.steps) {
      expect(launches, net).toBeLessThanOrEqual(most[net]);
      expect(launches, net).toBeGreaterThan(10);
      expect(submits, net).toBeLessThanOrEqual(2);
      expect(error, net).toBeLessThan(1e-4);
    }
  });

  it('every optimizer updates a parameter in one launch', () => {
    expect(found.updates).toHaveLength(10);
    expect(found.updates.filter(({ launches }) => launches !== 2)).toEqual([]); // there are two parameters
  });
});
