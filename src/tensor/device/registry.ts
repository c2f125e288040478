/** Chooses the current device, by name or automatically. */
import { cpu } from './cpu.ts';
import type { Choice, PassedOver, StepTime } from './choice.ts';
import { choose, currentChoice, deviceFor, opened } from './current.ts';
import type { Device, DeviceName, DType, ProductForm, Products } from './device.ts';
import { DeviceError, expectOneOf, expectOptions, shown, ValueError } from '../errors.ts';
import { expectNotHeld } from './hold.ts';
import { softwareGpu } from './software-renderer.ts';
import type { Tensor } from '../tensor.ts';
import { missingType, moveModel, stepTime, type TimedModel, type Trial, trialOf } from './time-model.ts';
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
  /** The devices that `auto` did not choose, though it tried or measured them, with the reason for each. */
  readonly passedOver: readonly PassedOver[];
  /** With the option `for`, where there is a hardware GPU: the shortest time of a training step on each device. */
  readonly measured?: readonly StepTime[];
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
  /**
   * With `'auto'`: the model to be trained, a layer, and in `batch` a batch of its inputs. If there is a hardware GPU, a
   * few training steps are timed on it and on `wasm`, on copies of the model, and the faster device is chosen. The model
   * moves to the chosen device and is otherwise unchanged, but gradients of a model that moves are lost. Pass it before
   * the first step of an optimizer, whose state stays where it is, and do not use it until the promise resolves.
   */
  readonly for?: TimedModel;
  /** With `for`: a batch of inputs, of the size that training will use. It stays on its device. */
  readonly batch?: Tensor;
}

/** @internal A device that `auto` may choose. */
export interface Candidate {
  readonly name: DeviceName;
  readonly kind: 'gpu' | 'processor';
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
  kind: 'gpu',
  open: async (options) => (await import('./gpu/open-gpu.ts')).openGpu(name, options),
});

/** All devices, in the order in which `auto` tries them. */
const candidates: readonly Candidate[] = [
  gpu('webgpu'),
  gpu('webgl'),
  { name: 'wasm', kind: 'processor', open: () => deviceFor('useDevice', 'wasm') },
  { name: 'cpu', kind: 'processor', open: () => cpu },
];

/** Prepares a device that was chosen, or that is to be timed. */
type Prepare = (device: Device) => Promise<void> | undefined;

/** The first candidate that works. */
async function chosenAutomatically(from: readonly Candidate[]): Promise<Choice> {
  const passedOver: PassedOver[] = [];
  for (const candidate of from) {
    const device = await openedOr(candidate, passedOver);
    if (device !== null) return { device, passedOver };
  }
  throw noDevice();
}

/**
 * The faster of two devices for a model: the first GPU and the first other device that work. Each is current while it is
 * timed, because layers may make tensors.
 */
async function chosenFor(trial: Trial, from: readonly Candidate[], prepare?: Prepare): Promise<Choice> {
  const passedOver: PassedOver[] = [];
  const rivals = new Map<Candidate['kind'], Device>();
  for (const candidate of from) {
    if (rivals.has(candidate.kind)) continue;
    const device = await openedOr(candidate, passedOver);
    const missing = device === null ? undefined : missingType(trial, device);
    if (missing !== undefined) passedOver.push({ device: candidate.name, reason: `it has no ${missing}` });
    else if (device !== null) rivals.set(candidate.kind, device);
  }
  const devices = [...rivals.values()];
  if (devices.length === 0) throw noDevice();
  if (devices.length === 1) return { device: devices[0], passedOver };
  const measured: (StepTime & { readonly on: Device })[] = [];
  const before = currentChoice();
  try {
    for (const on of devices) {
      await prepare?.(on);
      choose({ device: on, passedOver: [] });
      try {
        measured.push({ on, device: on.name, milliseconds: await stepTime(trial, on) });
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        passedOver.push({ device: on.name, reason: error.problem });
      }
    }
  } finally {
    choose(before);
  }
  if (measured.length === 0) {
    const reasons = passedOver.map(({ device, reason }) => `${device}: ${reason}`).join('; ');
    throw new DeviceError('useDevice', `no device can train the model: ${reasons}`, 'use a smaller batch');
  }
  const [best, ...slower] = measured.toSorted((a, b) => a.milliseconds - b.milliseconds);
  const time = (milliseconds: number) => `${Number(milliseconds.toPrecision(3))} ms`;
  for (const { device, milliseconds } of slower) {
    const reason = `slower for this model: ${time(milliseconds)} a step, ${time(best.milliseconds)} on ${best.device}`;
    passedOver.push({ device, reason });
  }
  const times = measured.map(({ device, milliseconds }) => ({ device, milliseconds }));
  return { device: best.on, passedOver, measured: times };
}

/** A candidate, if it works; otherwise null, and the reason is added to `passedOver`. */
async function openedOr(candidate: Candidate, passedOver: PassedOver[]): Promise<Device | null> {
  try {
    return await open(candidate, true);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    passedOver.push({ device: candidate.name, reason: error.problem });
    return null;
  }
}

const noDevice = (): DeviceError =>
  new DeviceError('useDevice', 'no device works', 'this is a bug in gammabeta: please report it');

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
 * the first device that works: a hardware GPU, `wasm`, `cpu`. With `{ for: model, batch: x }` it times training steps of
 * the model on the GPU and on `wasm`, chooses the faster, and moves the model there: small networks and batches are often
 * faster on `wasm`. A device chosen by name is never replaced by another one.
 *
 * @returns The same as {@link deviceInfo}.
 * @throws {DeviceError} The device is not available. The message gives the reason.
 * @throws {ValueError} No device has this name, or an option is unknown, has no such value, or is not for this device.
 * @throws {ShapeError} The batch does not fit the model.
 * @throws {BusyError} `fit` is running.
 * @example
 * ```ts
 * import { useDevice } from 'gammabeta';
 *
 * const info = await useDevice('cpu');
 * console.log(info.device); // cpu
 * ```
 * @example
 * ```ts
 * import { Dense, randn, useDevice } from 'gammabeta';
 *
 * const model = new Dense(784, 10);
 * const { device } = await useDevice('auto', { for: model, batch: randn([32, 784]) });
 * console.log(model.weight.device === device); // true
 * ```
 */
export async function useDevice(name: DeviceName | 'auto', options: DeviceOptions = {}): Promise<DeviceInfo> {
  return useDeviceFrom(candidates, name, options);
}

/** @internal `useDevice` with other candidates for `'auto'`: tests declare devices as GPUs. */
export async function useDeviceFrom(
  from: readonly Candidate[],
  name: DeviceName | 'auto',
  options: DeviceOptions,
): Promise<DeviceInfo> {
  expectOptions('useDevice', options, ['products', 'threads', 'for', 'batch']);
  const { products, threads, for: model, batch } = options;
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
  const isTrial = model !== undefined || batch !== undefined;
  if (isTrial && name !== 'auto') {
    const problem = `${model === undefined ? 'batch' : 'for'} with a device chosen by name`;
    throw new ValueError(
      'useDevice',
      problem,
      "only 'auto' measures: useDevice('auto', { for: model, batch })",
    );
  }
  expectNotHeld();
  const trial = isTrial ? await trialOf(model, batch) : null;
  // `fit` may have begun while the device was opened.
  const prepare: Prepare = (device) => {
    expectNotHeld();
    device.chooseProducts?.(products);
    return wanted === null ? undefined : device.setThreads?.(wanted);
  };
  return switchDevice(name, { prepare, trial, from });
}

/** @internal */
interface Switch {
  readonly prepare?: Prepare;
  readonly trial?: Trial | null;
  readonly from?: readonly Candidate[];
}

/** @internal `useDevice`, also during `fit`: how training continues after the GPU was lost. */
export async function switchDevice(
  name: DeviceName | 'auto',
  { prepare, trial = null, from = candidates }: Switch = {},
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
  const chosen = (): Promise<Choice> => {
    if (named !== undefined) return chosenByName(named);
    return trial === null ? chosenAutomatically(from) : chosenFor(trial, from, prepare);
  };
  const switched = lastChoice.then(async () => {
    const choice = await chosen();
    const prepared = prepare?.(choice.device);
    if (trial !== null) moveModel(trial, choice.device);
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
  const { device, passedOver, measured } = currentChoice();
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
    ...(measured !== undefined && { measured }),
  };
}
