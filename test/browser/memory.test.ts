/** Memory on the GPU over 500 steps: what the page itself has in textures, buffers and compiled kernels. */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  Dense,
  deviceInfo,
  fit,
  manualSeed,
  ReLU,
  scope,
  Sequential,
  SGD,
  tensor,
  useDevice,
} from '../../src/index.ts';
import { currentDevice } from '../../src/tensor/device/current.ts';
import { GpuDevice } from '../../src/tensor/device/gpu/gpu-device.ts';
import { watch } from './gpu-watch.ts';
import { quadrants } from './train.ts';

function net(): Sequential {
  manualSeed(1);
  return new Sequential(new Dense(2, 16, { bias: false }), new BatchNorm1d(16), new ReLU(), new Dense(16, 4));
}

describe.each(['webgl', 'webgpu'] as const)('on %s', (name) => {
  const gpu = watch(name);

  /** What the page counts, and what the device says. */
  function all(): Record<string, number> {
    const device = currentDevice();
    if (!(device instanceof GpuDevice)) throw new Error(`${device.name} is no GPU`);
    return { ...gpu.counts(), ...device.live };
  }

  /** Less is well: the garbage collector has been. */
  function expectNoMore(found: Record<string, number>, before: Record<string, number>, tensors = 0): void {
    expect(found.programs).toBe(before.programs);
    expect(found.handles).toBeLessThanOrEqual(before.handles + tensors);
    expect(found.memory).toBeLessThanOrEqual(before.memory + tensors);
  }

  it('500 steps of fit take no more than the first two epochs', async () => {
    await useDevice(name);
    expect(deviceInfo().device).toBe(name);
    const model = net();
    const at: Record<string, number>[] = [];
    await fit(model, {
      train: new DataLoader(quadrants(256), { batchSize: 32, shuffle: true }),
      optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
      epochs: 63, // of 8 steps
      onEpoch: () => void at.push(all()),
    });
    expect(at[1].memory).toBeGreaterThan(10);
    expect(at[1].programs).toBeGreaterThan(10);
    for (const found of at.slice(2)) expectNoMore(found, at[1]);
  });

  it('500 steps of a loop in scopes, that reads every 50th loss, take no more than the first', async () => {
    await useDevice(name);
    const model = net();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const data = quadrants(32);
    const at: Record<string, number>[] = [];
    for (let step = 1; step <= 500; step++) {
      const loss = scope(() => {
        const loss = crossEntropy(model.forward(tensor(data.x, { shape: [32, 2] })), data.labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return step % 50 === 0 ? loss.detach() : null;
      });
      if (loss === null) continue;
      expect(Number.isFinite((await loss.data())[0])).toBe(true);
      at.push(all());
    }
    at.forEach((found, k) => expectNoMore(found, at[0], k)); // and the losses that were read
  });
});
