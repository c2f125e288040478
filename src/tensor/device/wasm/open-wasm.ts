/**
 * The SIMD device: float32 arrays in WebAssembly memory, and kernels compiled to WebAssembly. A kernel without a SIMD
 * form runs its reference on the same memory. This is the only file that uses `WebAssembly`.
 */
import type { Fusion } from '../../../../kernels/fused/fusion.ts';
import type { FloatArray, Kernel, Params } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';
import { binaries } from '../../../../kernels/simd/binaries.generated.ts';
import type { Device, DType, Storage } from '../device.ts';
import { DeviceError } from '../../errors.ts';
import { Heap } from './heap.ts';
import { outputsOf } from '../outputs.ts';
import { BUDGET, Residency, WasmStorage } from './residency.ts';

/** The parts of WebAssembly that are used here. TypeScript's own types for it come with those of a whole browser. */
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Memory: new (limits: { initial: number }) => Memory;
};

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

type SimdForm = (...args: readonly number[]) => void;
type Exports = Readonly<Record<string, SimdForm>> & { readonly heapStart: { readonly value: number } };

/** The builds of the kernels, the fastest first: with relaxed SIMD, a·b + c is one instruction. */
export const builds: readonly Build[] = ['relaxed', 'simd'];
export type Build = keyof typeof binaries;

const adapters: Readonly<Record<Build, string>> = {
  relaxed: 'WebAssembly, relaxed SIMD',
  simd: 'WebAssembly, SIMD',
};

const PAGE = 65536;
/** Room for twice the budget: untouched memory costs nothing, and growing takes time. */
const INITIAL_PAGES = (2 * BUDGET) / PAGE + 64;

/** The device, with what tests inspect. */
export interface WasmDevice extends Device {
  readonly name: 'wasm';
  readonly residency: Residency;
  /** The size of its WebAssembly memory, in bytes. */
  readonly memory: number;
}

/**
 * Opens the device with the fastest build that the JavaScript engine accepts.
 *
 * @throws {DeviceError} It accepts no build; the message gives the reason.
 */
export function openWasm(accepted: readonly Build[] = builds): WasmDevice {
  if (typeof WebAssembly === 'undefined') throw unavailable('this engine has no WebAssembly');
  for (const build of accepted) {
    const bytes = binaries[build]();
    if (!WebAssembly.validate(bytes)) continue;
    try {
      return deviceOf(build, bytes);
    } catch (error) {
      throw unavailable(
        `the kernels cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  throw unavailable(
    `this engine's WebAssembly has no ${accepted.join() === 'relaxed' ? 'relaxed ' : ''}SIMD`,
  );
}

function deviceOf(build: Build, bytes: Uint8Array): WasmDevice {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    softmax: { ln: Math.log },
  });

  const grow = (end: number): boolean => {
    try {
      memory.grow(Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE);
      return true;
    } catch {
      return false;
    }
  };
  const view = (address: number, { dtype, size }: WasmStorage): FloatArray =>
    dtype === 'float32'
      ? new Float32Array(memory.buffer, address, size)
      : new Float64Array(memory.buffer, address, size);
  const heap = new Heap(exports.heapStart.value, memory.buffer.byteLength, grow);
  const residency = new Residency(heap, view);

  const allocate = (dtype: DType, size: number): WasmStorage => {
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
      return memory.buffer.byteLength;
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
        call(exports[kernel.simd], [output], operands, sizes, kernel, params);
      } else {
        kernel.reference(arrayOf(output), operands.map(arrayOf), sizes, params);
      }
      if (inPlace) output.version++;
      return output;
    },

    runFused(fusion, inputs, shapes, params) {
      const outputs = outputsOf(fusion, shapes, params);
      const operands = allOwn(inputs);
      residency.begin(operands);
      const results = outputs.map(({ shape, statistic }) =>
        allocate(statistic ? 'float64' : 'float32', sizeOf(shape)),
      );
      const sizes = fusion.sizes(shapes, params);
      const scratch = fusion.scratch ? allocate('float32', fusion.scratch(sizes)) : null;
      const read = scratch === null ? operands : [...operands, scratch];
      call(exports[fusion.name], results, read, sizes, fusion, params);
      if (scratch !== null) residency.free(scratch);
      if (fusion.updates !== undefined) for (const k of fusion.updates) operands[k].version++;
      return results.map((storage, k) => ({ storage, shape: outputs[k].shape }));
    },

    read: (storage) => Promise.resolve(arrayOf(own(storage)).slice()),
    readSync: (storage) => arrayOf(own(storage)).slice(),
    free: (storage) => {
      residency.free(own(storage));
    },
  };
}

/** Calls a WebAssembly export with the addresses of outputs and inputs, then the sizes, then the parameters. */
function call(
  form: SimdForm,
  outputs: readonly WasmStorage[],
  inputs: readonly WasmStorage[],
  sizes: readonly number[],
  { params: names = [] }: Pick<Kernel | Fusion, 'params'>,
  params: Params,
): void {
  const args = frame(outputs.length + inputs.length + sizes.length + names.length);
  let k = 0;
  for (const { address } of outputs) args[k++] = address;
  for (const { address } of inputs) args[k++] = address;
  for (const size of sizes) args[k++] = size;
  for (const name of names) args[k++] = params[name];
  form(...args);
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
