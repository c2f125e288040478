/** Chooses the current device, by name or automatically. */
import { cpu } from './cpu.ts';
import { type Choice, choose, currentChoice, deviceFor, opened, type PassedOver } from './current.ts';
import type { Device, DeviceName, DType, ProductForm, Products } from './device.ts';
import { DeviceError, expectOneOf, expectOptions, shown, ValueError } from '../errors.ts';
import { expectNotHeld } from './hold.ts';
import { softwareGpu } from './software-renderer.ts';
import { threadsOf, type ThreadsOption } from './wasm/threads/count.ts';

/** The current device, and the faster devices that were passed over. */
export interface DeviceInfo {
  readonly device: DeviceName;
  /** What runs the kernels: a JavaScript or WebAssembly engine, or the name of a GPU. */
  readonly adapter: string;
  /** On GPU devices: whether it is a software GPU, which runs on the processor. `auto` never chooses one. */
  readonly software?: boolean;
  /** The element types that the device supports. */
  readonly dtypes: readonly DType[];
  /** On `wasm`: the number of threads that compute a large kernel together. */
  readonly threads?: number;
  /** On `wasm`: why there are no more threads. */
  readonly threadsReason?: string;
  /**
   * On `webgpu`: which matrix products run, and why. The first large product decides: it is computed in both forms, the
   * results are compared, and the faster form stays.
   */
  readonly products?: Products;
  /** On `webgpu`: the kernels that the driver refused, with its reasons. Slower ones run in their place. */
  readonly refused?: readonly string[];
  /** The devices that `auto` tried first, with the reason why each was not chosen. */
  readonly passedOver: readonly PassedOver[];
}

/** Options of `useDevice`. */
export interface DeviceOptions {
  /**
   * On `webgpu`: the form of the matrix products, `'tiled'` or `'gpu.js'`. Default: the faster one, which is measured at
   * the first large product.
   */
  readonly products?: ProductForm;
  /**
   * On `wasm`, also if `'auto'` chooses it: how many threads compute a large kernel together, from 1 to 64. `'auto'` is
   * one per processor core, at most 8, and 1 in a worker thread. A page has one thread unless it is cross-origin
   * isolated. The results are the same, bit for bit. Default: the number that `wasm` has already; at first that of the
   * environment variable GAMMABETA_THREADS, or `'auto'`.
   */
  readonly threads?: ThreadsOption;
}

interface Candidate {
  readonly name: DeviceName;
  /**
   * Opens the device.
   * @param hardware Whether to reject a software GPU.
   * @throws {DeviceError} The device is not available.
   */
  readonly open: (options: { readonly hardware: boolean }) => Device | Promise<Device>;
}

/** The code for GPUs, including gpu.js, is loaded when a GPU is first requested. */
const gpu = (name: 'webgpu' | 'webgl'): Candidate => ({
  name,
  open: async (options) => (await import('./gpu/open-gpu.ts')).openGpu(name, options),
});

/** All devices, in the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [
  gpu('webgpu'),
  gpu('webgl'),
  { name: 'wasm', open: () => deviceFor('useDevice', 'wasm') },
  { name: 'cpu', open: () => cpu },
];

/** The first candidate that works. */
async function chosenAutomatically(): Promise<Choice> {
  const passedOver: PassedOver[] = [];
  for (const candidate of candidates) {
    try {
      return { device: await open(candidate, true), passedOver };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      passedOver.push({ device: candidate.name, reason: error.problem });
    }
  }
  throw new DeviceError('useDevice', 'no device works', 'this is a bug in gammabeta: please report it');
}

/** A candidate. Throws the reason why it is not available. */
async function chosenByName(candidate: Candidate): Promise<Choice> {
  try {
    return { device: await open(candidate, false), passedOver: [] };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new DeviceError('useDevice', `'${candidate.name}' is not available: ${error.problem}`, error.hint);
  }
}

/** Opens a device, or returns the open one. A lost device is opened again. */
async function open({ name, open: make }: Candidate, hardware: boolean): Promise<Device> {
  const known = opened.get(name);
  const device = known === undefined || known.lost ? await make({ hardware }) : known;
  if (hardware && device.software) throw softwareGpu(name, device.adapter);
  opened.set(name, device);
  return device;
}

/**
 * Chooses the current device, on which new tensors are made. Existing tensors stay on their device. `'auto'` chooses
 * the first device that works: a hardware GPU, `wasm`, `cpu`. A device chosen by name is never replaced by another one.
 *
 * @returns The same as {@link deviceInfo}.
 * @throws {DeviceError} The device is not available. The message gives the reason.
 * @throws {ValueError} No device has this name, or an option is unknown, has no such value, or is not for this device.
 * @throws {BusyError} `fit` is running.
 * @example
 * ```ts
 * import { useDevice } from 'gammabeta';
 *
 * const info = await useDevice('cpu');
 * console.log(info.device); // cpu
 * ```
 */
export async function useDevice(name: DeviceName | 'auto', options: DeviceOptions = {}): Promise<DeviceInfo> {
  expectOptions('useDevice', options, ['products', 'threads']);
  const { products, threads } = options;
  if (products !== undefined) {
    expectOneOf('useDevice', 'products', products, ['gpu.js', 'tiled']);
    if (name !== 'webgpu') {
      const problem = `products: '${products}' for the device '${name}'`;
      throw new ValueError('useDevice', problem, "only 'webgpu' has two forms of matrix products");
    }
  }
  const wanted = threads === undefined ? null : threadsOf('useDevice', threads);
  if (wanted !== null && name !== 'wasm' && name !== 'auto') {
    throw new ValueError('useDevice', `threads: ${threads} for another device`, "only 'wasm' has threads");
  }
  expectNotHeld();
  // `fit` may have begun while the device was opened.
  return switchDevice(name, (device) => {
    expectNotHeld();
    device.chooseProducts?.(products);
    return wanted === null ? undefined : device.setThreads?.(wanted);
  });
}

/** `useDevice`, also during `fit`: how training continues after the GPU was lost. */
export async function switchDevice(
  name: DeviceName | 'auto',
  prepare?: (device: Device) => Promise<void> | undefined,
): Promise<DeviceInfo> {
  const named = candidates.find((candidate) => candidate.name === name);
  if (named === undefined && name !== 'auto') {
    const names = candidates.map((candidate) => candidate.name);
    throw new ValueError(
      'useDevice',
      `unknown device: ${typeof name === 'string' ? name : shown(name)}`,
      `use one of auto, ${names.join(', ')}`,
    );
  }
  const switched = lastChoice.then(async () => {
    const choice = await (named === undefined ? chosenAutomatically() : chosenByName(named));
    const prepared = prepare?.(choice.device);
    choose(choice);
    await prepared;
    return deviceInfo();
  });
  lastChoice = switched.catch(() => undefined);
  return switched;
}

/** Calls of `useDevice` wait for each other, so the last call decides, and no device is opened twice. */
let lastChoice: Promise<unknown> = Promise.resolve();

/**
 * The current device, its adapter, and the reasons why faster devices were passed over.
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
  const { name, adapter, software, dtypes, products, refused, threads } = device;
  return {
    device: name,
    adapter,
    ...(software !== undefined && { software }),
    dtypes,
    ...(threads !== undefined && { threads: threads.count, threadsReason: threads.reason }),
    ...(products !== undefined && { products }),
    ...(refused !== undefined && refused.length > 0 && { refused }),
    passedOver,
  };
}
