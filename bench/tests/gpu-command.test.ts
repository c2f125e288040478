import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chromiumPath } from '../chromium.ts';
import type { GpuReport } from '../gpu/gpu-report.ts';

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/gpu/main.ts', ...args]);

describe('npm run bench:gpu', () => {
  const title = 'times kernels on both GPU devices in Chromium, and in Node if WebGPU loads';

  it.skipIf(chromiumPath === undefined)(title, { timeout: 120_000 }, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gammabeta-bench-gpu-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const file = join(dir, 'gpu.json');
    const { stdout } = await run('--quick', '--software', '--filter', 'relu 32x300', '--json', file);
    expect(stdout).toMatch(/Kernels on webgl \(.*SwiftShader.*\) – SOFTWARE GPU/);
    expect(stdout).toMatch(/Kernels on webgpu \(.*swiftshader.*\) – SOFTWARE GPU/);
    const { benchmark, quick, hosts } = JSON.parse(await readFile(file, 'utf8')) as GpuReport;
    expect({ benchmark, quick }).toEqual({ benchmark: 'gammabeta-gpu', quick: true });
    const [inChromium, inNode] = hosts;
    expect(inChromium.host).toMatch(/^Chromium \d/);
    expect(inChromium.devices).toMatchObject([
      { device: 'webgl', software: true },
      { device: 'webgpu', software: true },
    ]);
    for (const { kernels, steps, refused, devices } of [inChromium, inNode]) {
      expect(refused).toEqual([]);
      expect(steps).toEqual([]);
      expect(kernels.map(({ kernel, device }) => [kernel, device])).toEqual(
        devices.map(({ device }) => ['relu', device]),
      );
      for (const { seconds } of kernels) expect(seconds).toBeGreaterThan(0);
    }
    expect(inNode.host).toBe(`Node ${process.version}`);
    for (const { reason } of inNode.passedOver) expect(stdout).toContain(`webgpu passed over: ${reason}`);
    expect(inNode.devices.length + inNode.passedOver.length).toBe(1);
  });

  it('rejects a filter that selects nothing', async () => {
    await expect(run('--filter', 'nothing')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no line contains 'nothing'. Hint:") as string,
    });
  });
});
