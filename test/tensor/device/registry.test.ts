/** Tests of useDevice and deviceInfo: which device is chosen, and what is reported about it. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type DeviceName,
  DeviceError,
  deviceInfo,
  tensor,
  useDevice,
  ValueError,
} from '../../../src/index.ts';
import { expectRejection } from '../expect-error.ts';

describe('by default', () => {
  it('the device is wasm, from the first tensor on', () => {
    expect(tensor(1).device).toBe('wasm');
    expect(deviceInfo()).toMatchObject({ device: 'wasm', dtypes: ['float32'], passedOver: [] });
    expect(deviceInfo().adapter).toMatch(/^WebAssembly, (relaxed )?SIMD$/);
  });
});

/** The names of all globals and of all properties of `navigator`. */
const globals = (): string[] => [
  ...Object.getOwnPropertyNames(globalThis),
  ...Object.getOwnPropertyNames((Reflect.get(globalThis, 'navigator') as object | undefined) ?? {}),
];
const globalsBefore = globals();

describe('useDevice', () => {
  beforeEach(() => useDevice('wasm'));

  it('with auto, takes the first device that works and reports why it passed over the others', async () => {
    await useDevice('cpu');
    const info = await useDevice('auto');
    expect(info.device).toBe('wasm');
    expect(info.passedOver.map(({ device }) => device)).toEqual(['webgpu', 'webgl']);
    for (const { reason } of info.passedOver) expect(reason).toMatch(/\w+ \w+/);
    expect(deviceInfo()).toEqual(info);
  });

  it('takes the named device and passes over none', async () => {
    await useDevice('auto');
    const info = await useDevice('cpu');
    expect(info).toEqual({
      device: 'cpu',
      adapter: 'JavaScript',
      dtypes: ['float32', 'float64'],
      passedOver: [],
    });
    expect(deviceInfo()).toEqual(info);
    expect(tensor(1).device).toBe('cpu');
  });

  it('keeps the tensors of a device usable after switching to another', async () => {
    const x = tensor([1, 2]);
    await useDevice('cpu');
    expect(x.mul(2).device).toBe('wasm');
    await useDevice('wasm');
    expect(x.add(tensor([10, 20])).toArray()).toEqual([11, 22]);
  });

  it('never falls back from webgl, which needs a canvas and so a browser', async () => {
    const before = await useDevice('auto');
    await expectRejection(
      useDevice('webgl'),
      DeviceError,
      /^useDevice: 'webgl' is not available: there is no canvas outside a browser\. Hint: use 'wasm'/,
    );
    expect(deviceInfo()).toEqual(before);
  });

  it('never falls back from webgpu: it opens or throws with the reason, and restores navigator', async () => {
    const before = await useDevice('auto');
    const webgpu = useDevice('webgpu');
    const available = await webgpu.then(
      () => true,
      () => false,
    );
    expect(globals()).toEqual(globalsBefore);
    if (available) {
      expect(deviceInfo().device).toBe('webgpu');
      return;
    }
    await expectRejection(
      webgpu,
      DeviceError,
      /^useDevice: 'webgpu' is not available: (WebGPU found no GPU|the package 'webgpu' .*(is not installed|is too old|does not load))/,
    );
    expect(deviceInfo()).toEqual(before);
  });

  it.each(['gpu', '', 'CPU', 'toString', '__proto__'])('refuses the name %j', async (name) => {
    await expectRejection(
      useDevice(name as DeviceName),
      ValueError,
      /^useDevice: unknown device: .*one of auto, webgpu, webgl, wasm, cpu/,
    );
    expect(deviceInfo().device).toBe('wasm');
  });
});
