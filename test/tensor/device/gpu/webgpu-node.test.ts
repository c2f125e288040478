/** Tests of WebGPU in Node, on Chromium's software GPU; they need Vulkan's loader. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FormsFound } from './webgpu-forms-program.ts';
import type { Found } from './webgpu-program.ts';
import type { RefusedFound, TrainingFound } from './webgpu-training-program.ts';

/** SwiftShader as a Vulkan driver. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';
const missing = [driver, loader].filter((file) => !existsSync(file));

/** Runs a program and returns what it prints. The process must end by itself. */
async function run<T>(program: string, ...args: readonly string[]): Promise<T> {
  const file = join(import.meta.dirname, `${program}.ts`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', file, ...args],
    {
      env: { ...process.env, VK_ICD_FILENAMES: driver },
      timeout: 290_000,
    },
  );
  return JSON.parse(stdout) as T;
}

if (missing.length > 0) {
  const what = `WebGPU in Node: ${missing.join(' and ')} not found`;
  if (process.env.CI) throw new Error(`${what}. Hint: apt-get install chromium libvulkan1`);
  console.warn(`SKIPPED: ${what}`);
}

describe.skipIf(missing.length > 0)('in Node, with the package webgpu', () => {
  let found: Found;
  let cpu: Found;
  beforeAll(async () => {
    found = await run('webgpu-program', 'webgpu');
    cpu = await run('webgpu-program', 'cpu');
  }, 290_000);

  it('auto passes over a software GPU, and useDevice("webgpu") uses it', () => {
    expect(found.automatic.device).toBe('wasm');
    expect(found.automatic.passedOver[0]).toMatchObject({ device: 'webgpu' });
    expect(found.automatic.passedOver[0].reason).toMatch(
      /^(its GPU is software: SwiftShader|there is no graphics card)/,
    );
    expect(found.info).toMatchObject({ device: 'webgpu', software: true, passedOver: [] });
  });

  it('trains like the cpu', () => {
    expect(found.losses[29]).toBeLessThan(found.losses[0] / 4);
    found.losses.forEach((loss, step) => {
      expect(Math.abs(loss - cpu.losses[step])).toBeLessThan(1e-4);
    });
  });

  it('restores the globals, and lets the process end', () => {
    expect(found.globals).toEqual([]);
    expect(found.navigatorGpu).toBe(false);
  });

  it('fusions and products in tiles agree with their references', { timeout: 300_000 }, async () => {
    const found = await run<FormsFound>('webgpu-forms-program');
    expect(found.wrong).toEqual([]);
    expect(found.compared).toBeGreaterThan(400);
    expect(found.refused).toEqual([]);
    expect(found.tiles).toEqual(expect.arrayContaining(['small', 'medium', 'large']));
    expect(found.splitTiles).toEqual(expect.arrayContaining(['small', 'medium']));
  });

  const title =
    'auto chooses by measurement; 1,000 steps leak no buffers; the products can be chosen by hand';
  it(title, { timeout: 300_000 }, async () => {
    const { automatic, unchanged, products, buffers } = await run<TrainingFound>('webgpu-training-program');
    const { measured = [], passedOver } = automatic;
    expect(measured.map(({ device }) => device)).toEqual(['webgpu', 'wasm']);
    const [fastest, slowest] = measured.toSorted((a, b) => a.milliseconds - b.milliseconds);
    expect(automatic.device).toBe(fastest.device);
    expect(passedOver).toMatchObject([{ device: slowest.device }]);
    expect(unchanged).toBe(true);
    expect(products).toEqual(['gpu.js', 'tiled']);
    expect(buffers[1] - buffers[0]).toBeLessThan(500); // a leak would be one per step or more
  });

  it('kernels that the driver refuses are replaced, and reported', { timeout: 300_000 }, async () => {
    const { losses, expected, lines } = await run<RefusedFound>('webgpu-training-program', 'refused');
    losses.forEach((loss, step) => expect(Math.abs(loss / expected[step] - 1)).toBeLessThan(1e-5));
    const refused = ['denseDz', 'layernormDx', 'matmul, tiles of 32 × 32', 'softmaxCrossEntropy'];
    expect(lines.map((line) => line.split(':')[0]).sort()).toEqual(refused);
  });
});
