/** Which device runs, and what is said about it. */
import { afterEach, describe, expect, it } from 'vitest';
import { type DeviceName, DeviceError, deviceInfo, tensor, useDevice, ValueError } from '../../src/index.ts';
import { expectRejection } from './expect-error.ts';

afterEach(() => useDevice('cpu'));

describe('useDevice', () => {
  it('takes the first that works for auto, and says why it passed over the others', async () => {
    const info = await useDevice('auto');
    expect(info.device).toBe('cpu');
    expect(info.passedOver.map(({ device }) => device)).toEqual(['webgpu', 'webgl', 'wasm']);
    for (const { reason } of info.passedOver) expect(reason).toMatch(/\w+ \w+/);
    expect(deviceInfo()).toEqual(info);
  });

  it('takes the one that is named, and passes over nothing', async () => {
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

  it.each<DeviceName>(['webgpu', 'webgl', 'wasm'])(
    'never falls back from %s, which is named',
    async (name) => {
      const before = await useDevice('auto');
      await expectRejection(
        useDevice(name),
        DeviceError,
        new RegExp(`^useDevice: '${name}' is not available: this version .* Hint: use 'cpu'`),
      );
      expect(deviceInfo()).toEqual(before);
    },
  );

  it.each(['gpu', '', 'CPU', 'toString', '__proto__'])('refuses the name %j', async (name) => {
    await expectRejection(
      useDevice(name as DeviceName),
      ValueError,
      /^useDevice: unknown device: .*one of auto, webgpu, webgl, wasm, cpu/,
    );
    expect(deviceInfo().device).toBe('cpu');
  });
});
