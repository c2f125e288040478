import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { benchmarkCases } from '../../bench/kernel-cases.ts';
import { KernelDisagreesError, sizeName, timeKernel, validate } from '../../bench/kernels.ts';
import type { Report } from '../../bench/report.ts';
import { time } from '../../bench/timer.ts';
import * as kernels from '../../kernels/index.ts';
import type { Kernel, Params } from '../../kernels/kernel.ts';
import { cpu } from '../../src/tensor/cpu.ts';
import type { Device } from '../../src/tensor/device.ts';
import { cases } from '../kernels/cases/index.ts';

const names = Object.keys(kernels) as (keyof typeof kernels)[];

describe('the table of benchmark cases', () => {
  it('has every kernel, and nothing else', () => {
    expect(Object.keys(benchmarkCases).sort()).toEqual([...names].sort());
  });

  it.each(names)('has cases for %s that fit it, and that it is right at', async (name) => {
    const kernel: Kernel = kernels[name];
    expect(benchmarkCases[name].length).toBeGreaterThan(0);
    for (const { shapes, params, draws, inPlace = false } of benchmarkCases[name]) {
      if (!kernel.inputs.includes('…')) expect(shapes).toHaveLength(kernel.inputs.length);
      if (draws) expect(draws).toHaveLength(shapes.length);
      if (inPlace) expect(kernel.inPlace).toBe(true);
      expect(kernel.cost(kernel.sizes(shapes, params)).bytes).toBeGreaterThan(0);
    }
    await validate(kernel, cases[name].at, benchmarkCases[name][0], cpu);
  });

  it('names each size of a kernel differently', () => {
    for (const name of names) {
      const sizes = benchmarkCases[name].map(sizeName);
      expect(new Set(sizes).size).toBe(sizes.length);
    }
  });
});

describe('the timer', () => {
  it('calls what it is given, many times', async () => {
    let calls = 0;
    const { seconds, rme, samples } = await time(() => calls++, { quick: true });
    expect(calls).toBeGreaterThan(samples);
    expect(samples).toBeGreaterThanOrEqual(3);
    expect(seconds).toBeGreaterThan(0);
    expect(rme).toBeGreaterThanOrEqual(0);
  });

  it('awaits promises, one at a time', async () => {
    let [calls, running, most] = [0, 0, 0];
    const work = async () => {
      calls++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    const { seconds } = await time(work, { quick: true });
    expect(calls).toBeGreaterThan(3);
    expect(most).toBe(1);
    expect(seconds).toBeGreaterThan(0);
  });

  it.each([
    ['throws at once', 1],
    ['throws later', 10],
  ])('fails with the error of what %s', async (_, last) => {
    const failure = new Error('out of memory');
    let calls = 0;
    const work = () => {
      if (++calls >= last) throw failure;
    };
    await expect(time(work, { quick: true })).rejects.toBe(failure);
    expect(calls).toBe(last);
  });

  it('fails with the error of a promise that is rejected', async () => {
    const failure = new Error('the device is lost');
    let calls = 0;
    const work = () => (++calls > 5 ? Promise.reject(failure) : Promise.resolve());
    await expect(time(work, { quick: true })).rejects.toBe(failure);
    expect(calls).toBe(6);
  });
});

describe('a kernel', () => {
  const [benchmark] = benchmarkCases.add;
  const { at } = cases.add;

  it('that is right is timed', async () => {
    const validated = () => validate(kernels.add, at, benchmark, cpu);
    const timing = await timeKernel(kernels.add, benchmark, cpu, validated, { quick: true });
    expect(timing).toMatchObject({ kernel: 'add', size: '32×300' });
    expect(timing.gigaflops).toBeCloseTo((32 * 300) / timing.seconds / 1e9, 12);
    expect(timing.gigabytesPerSecond).toBeCloseTo((12 * 32 * 300) / timing.seconds / 1e9, 12);
  });

  /** The CPU, but for the last element of what a kernel computes. */
  const wrongDevice = (error: number): { device: Device; runs: () => number } => {
    let runs = 0;
    const device: Device = {
      ...cpu,
      run<P extends Params>(...args: Parameters<typeof cpu.run<P>>) {
        runs++;
        const values = cpu.readSync(cpu.run(...args));
        values[values.length - 1] += error;
        return cpu.upload(values, 'float32');
      },
    };
    return { device, runs: () => runs };
  };

  it('that a device computes wrongly is refused, and not timed', async () => {
    const { device, runs } = wrongDevice(1e-3);
    const validated = () => validate(kernels.add, at, benchmark, device);
    const timing = timeKernel(kernels.add, benchmark, device, validated, { quick: true });
    await expect(timing).rejects.toThrow(KernelDisagreesError);
    await expect(timing).rejects.toThrow(/^add 32×300 at \[31, 299\] is -?[\d.]+, and should be -?[\d.]+$/);
    expect(runs()).toBe(1);
  });

  it('that a device computes as NaN is refused', async () => {
    const { device } = wrongDevice(NaN);
    await expect(validate(kernels.add, at, benchmark, device)).rejects.toThrow('is NaN, and should be');
  });

  it('that differs by the rounding of float32 is timed', async () => {
    await validate(kernels.add, at, benchmark, wrongDevice(1e-7).device);
  });

  it('whose reference is wrong is refused, for it is not what the definition says', async () => {
    const wrong: Kernel = { ...kernels.add, reference: kernels.sub.reference.bind(kernels.sub) };
    await expect(validate(wrong, at, benchmark, cpu)).rejects.toThrow(KernelDisagreesError);
  });
});

describe('npm run bench', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args]);

  it('prints machine, device and tables, and writes them to a file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gammabeta-bench-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const file = join(dir, 'results.json');
    const { stdout } = await run('--quick', '--device', 'cpu', '--filter', 'softmax 32x10', '--json', file);
    expect(stdout).toContain(`Node ${process.version}`);
    expect(stdout).toContain('device   cpu (JavaScript)');
    expect(stdout).toMatch(/kernel .* size .* ms .* GB\/s .* GFLOP\/s .* ±/);
    expect(stdout).toMatch(/ softmax .* 32×10 axis 1 /);
    expect(await readdir(dir)).toEqual(['results.json']);
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    expect(report).toMatchObject({ quick: true, steps: [], refused: [], device: { device: 'cpu' } });
    expect(report.machine.node).toBe(process.version);
    expect(report.kernels.map(({ kernel }) => kernel)).toEqual(['softmax']);
  });

  it('says so when nothing is left by the filter', async () => {
    await expect(run('--filter', 'nothing')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nothing has 'nothing' in its line. Hint:") as string,
    });
  });
});
