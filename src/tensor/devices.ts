import { cpu } from './cpu.ts';
import type { Device, DeviceName, DType } from './device.ts';
import { DeviceError, ValueError } from './errors.ts';

/** What runs, and what was passed over on the way to it. */
export interface DeviceInfo {
  readonly device: DeviceName;
  readonly adapter: string;
  readonly dtypes: readonly DType[];
  readonly passedOver: readonly { readonly device: DeviceName; readonly reason: string }[];
}

type Candidate = Device | { readonly name: DeviceName; readonly missing: string };

/** In the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [
  { name: 'webgpu', missing: 'this version of gammabeta has no WebGPU device' },
  { name: 'webgl', missing: 'this version of gammabeta has no WebGL device' },
  { name: 'wasm', missing: 'this version of gammabeta has no WebAssembly device' },
  cpu,
];

let current: Device = cpu;
let passedOver: DeviceInfo['passedOver'] = [];

/** The device on which new tensors are made. */
export function currentDevice(): Device {
  return current;
}

/**
 * Chooses the device on which new tensors are made; tensors that exist stay where they are.
 * `'auto'` takes the first that works of: a hardware GPU, `wasm`, `cpu`. Naming a device never falls back.
 *
 * @throws {DeviceError} The named device is not there; the message says why.
 * @throws {ValueError} No device has that name.
 * @example
 * ```ts
 * import { useDevice } from 'gammabeta';
 *
 * const info = await useDevice('cpu');
 * console.log(info.device); // cpu
 * ```
 */
export async function useDevice(name: DeviceName | 'auto'): Promise<DeviceInfo> {
  const names = candidates.map((candidate) => candidate.name);
  if (name !== 'auto' && !names.includes(name)) {
    throw new ValueError('useDevice', `unknown device: ${name}`, `one of auto, ${names.join(', ')}`);
  }
  const skipped: { device: DeviceName; reason: string }[] = [];
  for (const candidate of candidates) {
    if (name !== 'auto' && name !== candidate.name) continue;
    if ('missing' in candidate) {
      if (name !== 'auto') {
        throw new DeviceError(
          'useDevice',
          `'${name}' is not available: ${candidate.missing}`,
          "use 'cpu', or 'auto' for the fastest there is",
        );
      }
      skipped.push({ device: candidate.name, reason: candidate.missing });
      continue;
    }
    current = candidate;
    break;
  }
  passedOver = skipped;
  return Promise.resolve(deviceInfo());
}

/**
 * What runs, on which adapter, and why anything faster was passed over.
 *
 * @example
 * ```ts
 * import { deviceInfo } from 'gammabeta';
 *
 * console.log(deviceInfo().device); // cpu
 * ```
 */
export function deviceInfo(): DeviceInfo {
  return { device: current.name, adapter: current.adapter, dtypes: current.dtypes, passedOver };
}
