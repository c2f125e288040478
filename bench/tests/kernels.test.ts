import { describe, expect, it } from 'vitest';
import { fusionCases } from '../cases/fusion-cases.ts';
import { fusionSubject } from '../cases/fusion-subject.ts';
import { benchmarkCases } from '../cases/kernel-cases.ts';
import { type KernelTiming, rated, timeKernel } from '../kernel-timing.ts';
import { kernelSubject } from '../cases/kernel-subject.ts';
import { DisagreesError, validate } from '../validate.ts';
import * as kernels from '../../kernels/index.ts';
import type { Params } from '../../kernels/kernel.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { openWasm } from '../../src/tensor/device/wasm/open-wasm.ts';

const add = kernelSubject(kernels.add, benchmarkCases.add[0]);

/** The CPU with a planted error in the last element of the named kernel's result. */
function wrongDevice(error: number, name = 'add'): { device: Device; runs: () => number } {
  let runs = 0;
  const device: Device = {
    ...cpu,
    run<P extends Params>(...args: Parameters<typeof cpu.run<P>>) {
      runs++;
      const y = cpu.run(...args);
      if (args[0].name !== name) return y;
      const values = cpu.readSync(y);
      values[values.length - 1] += error;
      return cpu.upload(values, y.dtype);
    },
  };
  return { device, runs: () => runs };
}

describe('timing a kernel', () => {
  it('times a right kernel', async () => {
    const form = { form: 'reference', device: cpu } as const;
    const timing = await timeKernel(add, form, () => validate(add, cpu), { quick: true });
    expect(timing).toMatchObject({ kernel: 'add', size: '32×300', form: 'reference' });
    expect(timing.gigaflops).toBeCloseTo((32 * 300) / timing.seconds / 1e9, 12);
    expect(timing.gigabytesPerSecond).toBeCloseTo((12 * 32 * 300) / timing.seconds / 1e9, 12);
  });

  it('rejects a wrong kernel without timing it', async () => {
    const { device, runs } = wrongDevice(1e-3);
    const form = { form: 'reference', device } as const;
    const timing = timeKernel(add, form, () => validate(add, device), { quick: true });
    await expect(timing).rejects.toThrow(DisagreesError);
    await expect(timing).rejects.toThrow(/^add 32×300 at \[31, 299\] is -?[\d.]+ and should be -?[\d.]+$/);
    expect(runs()).toBe(1);
  });

  it('rejects NaN', async () => {
    const { device } = wrongDevice(NaN);
    await expect(validate(add, device)).rejects.toThrow('is NaN and should be');
  });

  it('accepts the rounding of float32', async () => {
    await validate(add, wrongDevice(1e-7).device);
  });
});

describe('validating a fusion', () => {
  const sums = fusionSubject('batchnormSums', fusionCases.batchnormSums[0]);
  const update = fusionSubject('sgdUpdate', fusionCases.sgdUpdate[0]);

  it('compares each output with the composition, and names a wrong one', async () => {
    await validate(sums, cpu);
    const { device } = wrongDevice(1e-3, 'colSum');
    await expect(validate(sums, device)).rejects.toThrow(/^batchnormSums 32×784 784: dbeta at \[783\] is /);
  });

  it('rejects a fast form with a wrong value', async () => {
    const device = openWasm();
    const wrong: Device = {
      ...device,
      runFused: (...args) => (device.runFused?.(...args) ?? []).toReversed(),
    };
    await validate(sums, device);
    await expect(validate(sums, wrong)).rejects.toThrow(/^batchnormSums 32×784 784: dgamma at \[0\] is /);
  });

  it('compares the inputs that are updated in place', async () => {
    await validate(update, cpu);
    const idle: Device = { ...cpu, runFused: () => [] };
    await expect(validate(update, idle)).rejects.toThrow(/^sgdUpdate 784×300: w at \[0, 0\] is /);
  });
});

describe('the rating of a time', () => {
  const rates = { multiplyAdd: 40, copyVectors: 20, copyMemory: 10 };
  const ceilings = [{ form: 'simd', before: rates, after: { ...rates, multiplyAdd: 30 } }] as const;
  const timing: KernelTiming = {
    ...{ kernel: 'matmul', size: '512×512', form: 'simd', rme: 1, samples: 10 },
    ...{ seconds: 1, bytes: 1e9, flops: 20e9, gigabytesPerSecond: 1, gigaflops: 20 },
  };

  it('uses the lower ceiling, at its better measurement', () => {
    const [computing, moving] = rated([timing, { ...timing, bytes: 15e9 }], ceilings);
    expect(computing.ofCeiling).toEqual({ ceiling: 'multiplyAdd', fraction: 0.5 });
    expect(moving.ofCeiling).toEqual({ ceiling: 'copy', fraction: 0.75 });
  });

  it('uses the reference at the same size', () => {
    const reference: KernelTiming = { ...timing, form: 'reference', seconds: 8 };
    const other: KernelTiming = { ...reference, size: '2×2', seconds: 99 };
    const [, ours, theirs] = rated([other, timing, reference], ceilings);
    expect(ours.speedup).toBe(8);
    expect(theirs).toMatchObject({ speedup: 1, ofCeiling: null });
    expect(rated([timing], ceilings)[0].speedup).toBe(null);
  });
});
