/**
 * The SIMD device: float32 arrays in WebAssembly memory, and kernels compiled to WebAssembly, on one or several threads.
 * A kernel without a SIMD form runs its reference on the same memory. Only this file and `threads/worker.ts` use
 * `WebAssembly`.
 */
import { type FusedForm, forms as allForms } from '../../../../kernels/fused/forms.ts';
import type { FloatArray, Kernel, Params } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';
import { binaries } from '../../../../kernels/simd/binaries.generated.ts';
import type { Device, DType, Storage } from '../device.ts';
import { DeviceError } from '../../errors.ts';
import { Heap } from './heap.ts';
import { resultsOf } from '../outputs.ts';
import { BUDGET, Residency, WasmStorage } from './residency.ts';
import { type Threads, threadsOf } from './threads/count.ts';
import type { Forms, Pool } from './threads/pool.ts';
import type { MakeTeam, Resources, Team } from './threads/team.ts';

/** The parts of WebAssembly that are used here. TypeScript's own types for it come with those of a whole browser. */
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory;
};

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

type Exports = Forms & { readonly heapStart: { readonly value: number } };

/** An instance of the kernels, with its memory and its threads. */
interface Engine {
  readonly memory: Memory;
  readonly exports: Exports;
  readonly heap: Heap;
  threads: Threads;
  /** What its threads share; null with one, whose memory is not shared. */
  readonly shared: Resources | null;
  /** Null until the code for threads is loaded. */
  team: Team | null;
}

/** The builds of the kernels, the fastest first: with relaxed SIMD, a·b + c is one instruction. */
export const builds: readonly Build[] = ['relaxed', 'simd'];
export type Build = keyof typeof binaries;

const adapters: Readonly<Record<Build, string>> = {
  relaxed: 'WebAssembly, relaxed SIMD',
  simd: 'WebAssembly, SIMD',
};

/** How the fused forms are called, by the names of their fusions. */
const fusedForms: Readonly<Record<string, FusedForm>> = allForms;

const PAGE = 65536;
/** Room for twice the budget: untouched memory costs nothing, and growing takes time. */
const INITIAL_PAGES = (2 * BUDGET) / PAGE + 64;
/** 4 GB, all that 32-bit addresses reach: the maximum that the module declares. */
const MOST_PAGES = 65536;

/**
 * The first array of this many numbers loads the code for threads. Smaller ones are rarely worth dividing, so that a
 * program that has no others starts no thread.
 */
const LARGE = 2 ** 14;

/** The device, with what tests inspect. */
export interface WasmDevice extends Device {
  readonly name: 'wasm';
  readonly residency: Residency;
  /** The size of its WebAssembly memory, in bytes. */
  readonly memory: number;
  /** Its threads; null with one, and before the first large array. */
  readonly pool: Pool | null;
  /** Makes its team now, with other workers. */
  gather(makeTeam: MakeTeam): void;
}

/**
 * Opens the device with the fastest build that the JavaScript engine accepts.
 *
 * @throws {DeviceError} It accepts no build; the message gives the reason.
 * @throws {ValueError} The environment variable GAMMABETA_THREADS is no number of threads.
 */
export function openWasm(
  accepted: readonly Build[] = builds,
  threads: Threads = threadsOf('wasm', undefined),
): WasmDevice {
  if (typeof WebAssembly === 'undefined') throw unavailable('this engine has no WebAssembly');
  for (const build of accepted) {
    const bytes = binaries[build]();
    if (!WebAssembly.validate(shareMemory(bytes, false))) continue;
    try {
      return deviceOf(build, bytes, threads);
    } catch (error) {
      throw unavailable(`the kernels cannot be loaded: ${messageOf(error)}`);
    }
  }
  throw unavailable(
    `this engine's WebAssembly has no ${accepted.join() === 'relaxed' ? 'relaxed ' : ''}SIMD`,
  );
}

/** `memory`, the name of the import, and that it is a memory. The next byte is 3 if it is shared, and 1 if not. */
const IMPORTED_MEMORY = [...new TextEncoder().encode('memory'), 2];

/** Changes the byte of a binary that says whether its memory is shared. */
function shareMemory(bytes: Uint8Array, shared: boolean): Uint8Array {
  const begin = bytes.findIndex((_, at) => IMPORTED_MEMORY.every((byte, k) => bytes[at + k] === byte));
  bytes[begin + IMPORTED_MEMORY.length] = shared ? 3 : 1;
  return bytes;
}

/** Makes an instance for a number of threads; for one, if the engine refuses to share memory. */
function engineOf(bytes: Uint8Array, threads: Threads): Engine {
  if (threads.count === 1) return instantiate(bytes, threads);
  try {
    return instantiate(bytes, threads);
  } catch (error) {
    return instantiate(bytes, { count: 1, reason: `shared memory is refused: ${messageOf(error)}` });
  }
}

function instantiate(bytes: Uint8Array, threads: Threads): Engine {
  const { count } = threads;
  const shared = count > 1;
  const module = new WebAssembly.Module(shareMemory(bytes, shared));
  const initial = INITIAL_PAGES + SCRATCH_PAGES * (count - 1);
  const memory = new WebAssembly.Memory({ initial, maximum: MOST_PAGES, shared });
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    softmax: { ln: Math.log },
    instance: { scratch: 0 },
  });
  const grow = (end: number): boolean => {
    try {
      memory.grow(Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE);
      return true;
    } catch {
      return false;
    }
  };
  // The scratch memory of the other threads follows that of this one.
  const scratch = Math.ceil(exports.heapStart.value / PAGE) * PAGE;
  const heap = new Heap(shared ? scratch * count : exports.heapStart.value, memory.buffer.byteLength, grow);
  return { memory, exports, heap, threads, shared: shared ? { module, memory, scratch } : null, team: null };
}

/** Room for the scratch memory of a thread, which is less than 2 MB. */
const SCRATCH_PAGES = 32;

function deviceOf(build: Build, bytes: Uint8Array, threads: Threads): WasmDevice {
  let engine = engineOf(bytes, threads);
  const view = (address: number, { dtype, size }: WasmStorage): FloatArray => {
    engine.team?.pool.join();
    return dtype === 'float32'
      ? new Float32Array(engine.memory.buffer, address, size)
      : new Float64Array(engine.memory.buffer, address, size);
  };
  const residency = new Residency(engine.heap, view);

  /** Calls an export, on several threads if it can be divided. */
  const call = (name: string, args: number[]): void => {
    const { team, exports } = engine;
    team?.pool.join();
    const split = team?.splits.get(name);
    if (split === undefined) exports[name](...args);
    else split(args);
  };

  /** Makes the team of an engine. */
  const gather = (of: Engine, makeTeam: MakeTeam): void => {
    if (of.shared !== null && of === engine) of.team ??= makeTeam(of.exports, of.shared, of.threads.count);
  };

  /** The size from which an array loads the code for threads. */
  let large = engine.shared === null ? Infinity : LARGE;
  /** Reads wait for it: a program that awaits nothing else would never let it end. */
  let loading: Promise<void> | null = null;
  const loadTeam = async (): Promise<void> => {
    large = Infinity;
    const of = engine;
    if (of.shared === null) return;
    try {
      gather(of, (await import('./threads/team.ts')).makeTeam);
    } catch (error) {
      of.threads = { count: 1, reason: `the code for threads cannot be loaded: ${messageOf(error)}` };
    }
    loading = null;
  };

  const allocate = (dtype: DType, size: number): WasmStorage => {
    if (size >= large) loading = loadTeam();
    const storage = new WasmStorage(dtype, size, residency);
    residency.place(storage);
    return storage;
  };
  const arrayOf = (storage: WasmStorage): FloatArray => residency.valuesOf(storage);
  const isOwn = (storage: Storage): storage is WasmStorage =>
    storage instanceof WasmStorage && storage.home === residency;
  const own = (storage: Storage): WasmStorage => {
    if (isOwn(storage)) return storage;
    throw new DeviceError(
      'wasm',
      'memory of another device',
      'read the tensor, and make a new one on this device',
    );
  };
  const allOwn = (storages: readonly Storage[]): readonly WasmStorage[] =>
    storages.every(isOwn) ? storages : storages.map(own);

  return {
    name: 'wasm',
    dtypes: ['float32'],
    adapter: adapters[build],
    residency,
    get memory() {
      return engine.memory.buffer.byteLength;
    },
    get pool() {
      return engine.team?.pool ?? null;
    },
    get threads() {
      const { team, threads: all } = engine;
      if (team === null || team.pool.lost === 0) return all;
      const { pool } = team;
      return {
        count: all.count - pool.lost,
        reason: `a worker thread ended or did not start: ${pool.lossReason}`,
      };
    },
    gather: (makeTeam) => {
      gather(engine, makeTeam);
    },
    setThreads(wanted) {
      if (wanted.count === engine.threads.count && (engine.team?.pool.lost ?? 0) === 0) {
        engine.threads = wanted;
      } else {
        engine.team?.pool.stop();
        const next = engineOf(bytes, wanted);
        residency.moveTo(next.heap, () => (engine = next));
      }
      return loadTeam();
    },

    upload(values, dtype) {
      residency.begin([]);
      const storage = allocate(dtype, values.length);
      arrayOf(storage).set(values);
      return storage;
    },

    run(kernel, inputs, shapes, shape, params, inPlace) {
      const operands = allOwn(inputs);
      residency.begin(operands);
      const dtype = kernel.statistic ? 'float64' : 'float32';
      const output = inPlace ? operands[0] : allocate(dtype, sizeOf(shape));
      const sizes = kernel.sizes(shapes, params);
      if (kernel.simd !== undefined && operands.every(isFloat32)) {
        call(kernel.simd, argumentsOf([output], operands, sizes, kernel, params));
      } else {
        kernel.reference(arrayOf(output), operands.map(arrayOf), sizes, params);
      }
      if (inPlace) output.version++;
      return output;
    },

    runFused(fusion, inputs, shapes, params) {
      const { outputs, updates } = resultsOf(fusion, shapes, params);
      const form = fusedForms[fusion.name];
      const operands = allOwn(inputs);
      residency.begin(operands);
      const results = outputs.map(({ shape, statistic }) =>
        allocate(statistic ? 'float64' : 'float32', sizeOf(shape)),
      );
      const sizes = form.sizes(shapes, params);
      const scratch = form.scratch ? allocate('float32', form.scratch(sizes)) : null;
      const read = scratch === null ? operands : [...operands, scratch];
      call(fusion.name, argumentsOf(results, read, sizes, form, params));
      if (scratch !== null) residency.free(scratch);
      for (const k of updates) operands[k].version++;
      return results.map((storage, k) => ({ storage, shape: outputs[k].shape }));
    },

    read: (storage) => {
      const values = arrayOf(own(storage)).slice();
      return loading === null ? Promise.resolve(values) : loading.then(() => values);
    },
    readSync: (storage) => arrayOf(own(storage)).slice(),
    free: (storage) => {
      residency.free(own(storage));
    },
  };
}

/** The arguments of an export: the addresses of outputs and inputs, then the sizes, then the parameters. */
function argumentsOf(
  outputs: readonly WasmStorage[],
  inputs: readonly WasmStorage[],
  sizes: readonly number[],
  { params: names = [] }: Pick<Kernel | FusedForm, 'params'>,
  params: Params,
): number[] {
  const args = frame(outputs.length + inputs.length + sizes.length + names.length);
  let k = 0;
  // By index: the arrays are of several kinds, for which V8 would make iterators in each call.
  for (let i = 0; i < outputs.length; i++) args[k++] = outputs[i].address;
  for (let i = 0; i < inputs.length; i++) args[k++] = inputs[i].address;
  for (let i = 0; i < sizes.length; i++) args[k++] = sizes[i];
  for (let i = 0; i < names.length; i++) args[k++] = params[names[i]];
  return args;
}

/**
 * One argument array per arity, reused; a fresh array per call would be garbage. It starts filled with null, because V8
 * would box each element that is read from an array of doubles.
 */
function frame(count: number): number[] {
  return (frames[count] ??= Array<unknown>(count).fill(null) as number[]);
}
const frames: number[][] = [];

const isFloat32 = ({ dtype }: Storage): boolean => dtype === 'float32';

function unavailable(reason: string): DeviceError {
  return new DeviceError('wasm', reason, "the device 'cpu' computes the same, slower");
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
