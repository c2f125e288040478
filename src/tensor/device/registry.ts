import { cpu } from './cpu.ts';
import type { Device, DeviceName, DType } from './device.ts';
import { DeviceError, softwareGpu, ValueError } from '../errors.ts';
import { openWasm } from './wasm/open-wasm.ts';

/** What runs, and what was passed over on the way to it. */
export interface DeviceInfo {
  readonly device: DeviceName;
  /** What runs the kernels: an engine, or a GPU's name. */
  readonly adapter: string;
  /** Of a GPU: whether the CPU does its work. `auto` never takes such a one. */
  readonly software?: boolean;
  readonly dtypes: readonly DType[];
  readonly passedOver: readonly { readonly device: DeviceName; readonly reason: string }[];
}

interface Candidate {
  readonly name: DeviceName;
  /**
   * Throws {@link DeviceError} where it is not there.
   * @param hardware A GPU that is software counts as none.
   */
  readonly open: (options: { readonly hardware: boolean }) => Device | Promise<Device>;
}

/** The code for GPUs, and gpu.js, are loaded when one is asked for. */
const gpu = (name: 'webgpu' | 'webgl'): Candidate => ({
  name,
  open: async (options) => (await import('./gpu/open-gpu.ts')).openGpu(name, options),
});

/** What needs no `await` to begin with; the first that works is the default. */
const immediate = [
  { name: 'wasm', open: () => openWasm() },
  { name: 'cpu', open: () => cpu },
] as const satisfies readonly Candidate[];

/** In the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [gpu('webgpu'), gpu('webgl'), ...immediate];

/** The devices that were opened: each is opened once, and keeps its memory. */
const opened = new Map<DeviceName, Device>();

let current: Device | null = null;
let passedOver: DeviceInfo['passedOver'] = [];

/** The device on which new tensors are made. It is opened when the first one is. */
export function currentDevice(): Device {
  return (current ??= byDefault());
}

function byDefault(): Device {
  const skipped: { device: DeviceName; reason: string }[] = [];
  for (const { name, open } of immediate) {
    try {
      const device = opened.get(name) ?? open();
      opened.set(name, device);
      passedOver = skipped;
      return device;
    } catch (error) {
      skipped.push({ device: name, reason: reasonOf(error) });
    }
  }
  throw noDevice();
}

/** The first that works of all. */
async function automatic(): Promise<Device> {
  const skipped: { device: DeviceName; reason: string }[] = [];
  for (const candidate of candidates) {
    try {
      const device = await open(candidate, true);
      passedOver = skipped;
      return device;
    } catch (error) {
      skipped.push({ device: candidate.name, reason: reasonOf(error) });
    }
  }
  throw noDevice();
}

/** Opens a device, or finds it open; one that was lost is opened anew. */
async function open({ name, open: make }: Candidate, hardware: boolean): Promise<Device> {
  const known = opened.get(name);
  const device = known === undefined || known.lost ? await make({ hardware }) : known;
  if (hardware && device.software) throw softwareGpu(name, device.adapter);
  opened.set(name, device);
  return device;
}

/** Why a device is not there; other errors are thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof DeviceError) return error.problem;
  throw error;
}

function noDevice(): DeviceError {
  return new DeviceError('useDevice', 'no device works', 'this is a bug in gammabeta: please report it');
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
  const choice = lastChoice.then(async () => {
    if (name === 'auto') {
      current = await automatic();
    } else {
      current = await openNamed(named[0]);
      passedOver = [];
    }
    return deviceInfo();
  });
  lastChoice = choice.catch(() => undefined);
  return choice;
}

/** Choices take turns: the last one holds, and no device is opened twice. */
let lastChoice: Promise<unknown> = Promise.resolve();

async function openNamed(candidate: Candidate): Promise<Device> {
  try {
    return await open(candidate, false);
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
  const { name, adapter, software, dtypes } = currentDevice();
  return { device: name, adapter, ...(software !== undefined && { software }), dtypes, passedOver };
}
