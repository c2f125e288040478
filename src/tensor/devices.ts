import { cpu } from './cpu.ts';
import type { Device, DeviceName, DType } from './device.ts';
import { DeviceError, ValueError } from './errors.ts';
import { openWasm } from './wasm.ts';

/** What runs, and what was passed over on the way to it. */
export interface DeviceInfo {
  readonly device: DeviceName;
  readonly adapter: string;
  readonly dtypes: readonly DType[];
  readonly passedOver: readonly { readonly device: DeviceName; readonly reason: string }[];
}

interface Candidate {
  readonly name: DeviceName;
  /** Throws {@link DeviceError} where it is not there. */
  readonly open: () => Device;
}

/** In the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [
  { name: 'webgpu', open: absent('webgpu', 'this version of gammabeta has no WebGPU device') },
  { name: 'webgl', open: absent('webgl', 'this version of gammabeta has no WebGL device') },
  { name: 'wasm', open: openWasm },
  { name: 'cpu', open: () => cpu },
];

/** What needs no `await` to begin with, and is the default: the last two. */
const immediate = candidates.slice(2);

/** The devices that were opened: each is opened once, and keeps its memory. */
const opened = new Map<DeviceName, Device>();

let current: Device | null = null;
let passedOver: DeviceInfo['passedOver'] = [];

/** The device on which new tensors are made. It is opened when the first one is. */
export function currentDevice(): Device {
  return (current ??= first(immediate));
}

/** The first that works. */
function first(choice: readonly Candidate[]): Device {
  const skipped: { device: DeviceName; reason: string }[] = [];
  for (const candidate of choice) {
    try {
      const device = open(candidate);
      passedOver = skipped;
      return device;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      skipped.push({ device: candidate.name, reason: error.problem });
    }
  }
  throw new DeviceError('useDevice', 'no device works', 'this is a bug in gammabeta: please report it');
}

function open({ name, open: make }: Candidate): Device {
  const device = opened.get(name) ?? make();
  opened.set(name, device);
  return device;
}

function absent(name: DeviceName, reason: string): () => Device {
  return () => {
    throw new DeviceError(name, reason, "use 'wasm', or 'auto' for the fastest there is");
  };
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
  const named = candidates.filter((candidate) => name === 'auto' || name === candidate.name);
  if (named.length === 0) {
    const names = candidates.map((candidate) => candidate.name);
    throw new ValueError('useDevice', `unknown device: ${name}`, `one of auto, ${names.join(', ')}`);
  }
  if (name === 'auto') {
    current = first(named);
  } else {
    current = openNamed(named[0]);
    passedOver = [];
  }
  return Promise.resolve(deviceInfo());
}

function openNamed(candidate: Candidate): Device {
  try {
    return open(candidate);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new DeviceError('useDevice', `'${candidate.name}' is not available: ${error.problem}`, error.hint);
  }
}

/**
 * What runs, on which adapter, and why anything faster was passed over.
 *
 * @example
 * ```ts
 * import { deviceInfo } from 'gammabeta';
 *
 * console.log(deviceInfo().device); // wasm
 * ```
 */
export function deviceInfo(): DeviceInfo {
  const { name, adapter, dtypes } = currentDevice();
  return { device: name, adapter, dtypes, passedOver };
}
