/** Which devices a page has, which one really runs, and what opening them leaves behind. */
import { afterEach, describe, expect, it } from 'vitest';
import { DeviceError, deviceInfo, type DeviceInfo, scope, tensor, useDevice } from '../../src/index.ts';
import { expectRejection } from '../tensor/expect-error.ts';

const globalsBefore = new Set(Object.getOwnPropertyNames(globalThis));
const browsersOwn = Object.getOwnPropertyDescriptor(globalThis, 'GPU');

const gpus = ['webgl', 'webgpu'] as const;
afterEach(() => useDevice('wasm'));

/** In CI and wherever the tests start Chromium themselves, GPUs are SwiftShader's. */
const adapters = { webgl: /ANGLE \(.*SwiftShader/, webgpu: /swiftshader/i };

describe.each(gpus)('on %s', (name) => {
  it('that device runs, on the adapter that it names', async ({ task }) => {
    const info = await useDevice(name);
    expect(info).toMatchObject({ device: name, software: true, dtypes: ['float32'], passedOver: [] });
    expect(info.adapter).toMatch(adapters[name]);
    expect(deviceInfo()).toEqual(info);
    expect(tensor([1]).device).toBe(name);
    task.meta.ranOn = info;
  });

  it('the page has the globals that it had, and its own GPU class', async () => {
    await useDevice(name);
    await tensor([1, 2]).mul(2).data();
    const added = Object.getOwnPropertyNames(globalThis).filter((key) => !globalsBefore.has(key));
    expect(added.filter((key) => !key.startsWith('__'))).toEqual([]); // those are of vitest
    expect(Object.getOwnPropertyDescriptor(globalThis, 'GPU')).toEqual(browsersOwn);
  });

  it('two sums in a scope are the two sums, and what was between them is freed', async () => {
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

it('auto passes over a GPU that is software, and says so', async () => {
  const info = await useDevice('auto');
  expect(info.device).toBe('wasm');
  expect(info.passedOver.map(({ device }) => device)).toEqual(['webgpu', 'webgl']);
  for (const { device, reason } of info.passedOver) {
    expect(reason).toMatch(/^its GPU is software: /);
    expect(reason).toMatch(adapters[device as keyof typeof adapters]);
  }
});

it('auto passes over it also where it was opened by its name', async () => {
  for (const name of gpus) await useDevice(name);
  const { device, passedOver } = await useDevice('auto');
  expect(device).toBe('wasm');
  for (const { reason } of passedOver) expect(reason).toMatch(/^its GPU is software: /);
});

describe('reading at once', () => {
  it('works on webgl', async () => {
    await useDevice('webgl');
    expect(tensor([1, 2]).mul(3).toArray()).toEqual([3, 6]);
    expect(
      tensor([[1, 2]])
        .sum()
        .item(),
    ).toBe(3);
  });

  it('is refused on webgpu, which says what to do instead', async () => {
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
    /** What a test found to be running: the reporter prints it. */
    ranOn?: DeviceInfo;
  }
}
