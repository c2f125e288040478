/** Choosing a device by name, or automatically. */
import { cpu } from './cpu.ts';
import { choose, currentChoice, opened, type PassedOver } from './current.ts';
import type { Device, DeviceName, DType } from './device.ts';
import { DeviceError, ValueError } from '../errors.ts';
import { softwareGpu } from './software-gpu.ts';
import { openWasm } from './wasm/open-wasm.ts';

/** The current device, and the devices that were passed over before it. */
export interface DeviceInfo {
  readonly device: DeviceName;
  /** What runs the kernels: an engine, or the name of a GPU. */
  readonly adapter: string;
  /** For a GPU: whether it is a software GPU. `auto` never chooses one. */
  readonly software?: boolean;
  readonly dtypes: readonly DType[];
  readonly passedOver: readonly PassedOver[];
}

interface Candidate {
  readonly name: DeviceName;
  /**
   * Throws {@link DeviceError} if the device is not available.
   * @param hardware Refuse a software GPU.
   */
  readonly open: (options: { readonly hardware: boolean }) => Device | Promise<Device>;
}

/** The code for GPUs, and gpu.js, are loaded when a GPU is first requested. */
const gpu = (name: 'webgpu' | 'webgl'): Candidate => ({
  name,
  open: async (options) => (await import('./gpu/open-gpu.ts')).openGpu(name, options),
});

/** In the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [
  gpu('webgpu'),
  gpu('webgl'),
  { name: 'wasm', open: () => openWasm() },
  { name: 'cpu', open: () => cpu },
];

/** The first candidate that works. */
async function chooseAutomatically(): Promise<void> {
  const passedOver: PassedOver[] = [];
  for (const candidate of candidates) {
    try {
      choose({ device: await open(candidate, true), passedOver });
      return;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      passedOver.push({ device: candidate.name, reason: error.problem });
    }
  }
  throw new DeviceError('useDevice', 'no device works', 'this is a bug in gammabeta: please report it');
}

async function chooseByName(candidate: Candidate): Promise<void> {
  try {
    choose({ device: await open(candidate, false), passedOver: [] });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new DeviceError('useDevice', `'${candidate.name}' is not available: ${error.problem}`, error.hint);
  }
}

/** Opens a device, unless it is open already; a lost device is opened again. */
async function open({ name, open: make }: Candidate, hardware: boolean): Promise<Device> {
  const known = opened.get(name);
  const device = known === undefined || known.lost ? await make({ hardware }) : known;
  if (hardware && device.software) throw softwareGpu(name, device.adapter);
  opened.set(name, device);
  return device;
}

/**
 * Chooses the device on which new tensors are made; existing tensors stay where they are.
 * `'auto'` takes the first that works: a hardware GPU, `wasm`, `cpu`. A device chosen by name never falls back.
 *
 * @throws {DeviceError} The device is not available; the message gives the reason.
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
  const named = candidates.find((candidate) => candidate.name === name);
  if (named === undefined && name !== 'auto') {
    const names = candidates.map((candidate) => candidate.name);
    throw new ValueError('useDevice', `unknown device: ${name}`, `one of auto, ${names.join(', ')}`);
  }
  const choice = lastChoice.then(async () => {
    await (named === undefined ? chooseAutomatically() : chooseByName(named));
    return deviceInfo();
  });
  lastChoice = choice.catch(() => undefined);
  return choice;
}

/** Calls of `useDevice` run one after the other: the last one holds, and no device is opened twice. */
let lastChoice: Promise<unknown> = Promise.resolve();

/**
 * The current device, its adapter, and why faster devices were passed over.
 *
 * @example
 * ```ts
 * import { deviceInfo } from 'gammabeta';
 *
 * console.log(deviceInfo().device); // wasm
 * ```
 */
export function deviceInfo(): DeviceInfo {
  const { device, passedOver } = currentChoice();
  const { name, adapter, software, dtypes } = device;
  return { device: name, adapter, ...(software !== undefined && { software }), dtypes, passedOver };
}
