/** Devices in a page: which one is used, on which adapter, and that opening one leaves no globals behind. */
import { afterEach, describe, expect, it } from 'vitest';
import { DeviceError, deviceInfo, type DeviceInfo, scope, tensor, useDevice } from '../../src/index.ts';
import { expectRejection } from '../tensor/expect-error.ts';

const globalsBefore = new Set(Object.getOwnPropertyNames(globalThis));
const browsersOwn = Object.getOwnPropertyDescriptor(globalThis, 'GPU');

const gpus = ['webgl', 'webgpu'] as const;
afterEach(() => useDevice('wasm'));

/** The tests start Chromium with SwiftShader, so the adapters are software. */
const adapters = { webgl: /ANGLE \(.*SwiftShader/, webgpu: /swiftshader/i };

describe.each(gpus)('on %s', (name) => {
  it('the device and its adapter are reported', async ({ task }) => {
    const info = await useDevice(name);
    expect(info).toMatchObject({ device: name, software: true, dtypes: ['float32'], passedOver: [] });
    expect(info.adapter).toMatch(adapters[name]);
    expect(deviceInfo()).toEqual(info);
    expect(tensor([1]).device).toBe(name);
    task.meta.ranOn = info;
  });

  it("no global is added, and the browser's GPU class is not replaced", async () => {
    await useDevice(name);
    await tensor([1, 2]).mul(2).data();
    const added = Object.getOwnPropertyNames(globalThis).filter((key) => !globalsBefore.has(key));
    expect(added.filter((key) => !key.startsWith('__'))).toEqual([]); // vitest adds names with __
    expect(Object.getOwnPropertyDescriptor(globalThis, 'GPU')).toEqual(browsersOwn);
  });

  it('a scope returns its result and frees intermediate tensors', async () => {
    await useDevice(name);
    const [a, b, c] = [[1, 2], [10, 20], [100, 200]].map((x) => tensor(x)); // prettier-ignore
    let between = a;
    const y = scope(() => {
      between = a.add(b);
      return between.add(c);
    });
    expect(Array.from(await y.data())).toEqual([111, 222]);
    await expectRejection(between.data(), DeviceError, /freed/);
  });
});

it('auto skips software GPUs and reports the reason', async () => {
  const info = await useDevice('auto');
  expect(info.device).toBe('wasm');
  expect(info.passedOver.map(({ device }) => device)).toEqual(['webgpu', 'webgl']);
  for (const { device, reason } of info.passedOver) {
    expect(reason).toMatch(/^its GPU is software: /);
    expect(reason).toMatch(adapters[device as keyof typeof adapters]);
  }
});

it('auto skips software GPUs also after they were opened by name', async () => {
  for (const name of gpus) await useDevice(name);
  const { device, passedOver } = await useDevice('auto');
  expect(device).toBe('wasm');
  for (const { reason } of passedOver) expect(reason).toMatch(/^its GPU is software: /);
});

describe('synchronous reading', () => {
  it('works on webgl', async () => {
    await useDevice('webgl');
    expect(tensor([1, 2]).mul(3).toArray()).toEqual([3, 6]);
    expect(
      tensor([[1, 2]])
        .sum()
        .item(),
    ).toBe(3);
  });

  it('is refused on webgpu, with a hint', async () => {
    await useDevice('webgpu');
    const y = tensor(Array.from({ length: 20 }, (_, i) => i)).mul(3);
    for (const read of [() => y.dataSync(), () => y.toArray(), () => y.sum().item()]) {
      expect(read).toThrow(DeviceError);
      expect(read).toThrow(/webgpu cannot be read at once\. Hint: use await t\.data\(\)/);
    }
    expect((await y.data())[19]).toBe(57);
  });
});

declare module 'vitest' {
  interface TaskMeta {
    /** The device that a test ran on, for the reporter. */
    ranOn?: DeviceInfo;
  }
}
