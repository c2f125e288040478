/**
 * A device that runs the GPU forms without a GPU: it runs their JavaScript source for each thread in turn, in
 * float64. This tests the forms; testing their translation by gpu.js needs a GPU.
 */
import { runInThisContext } from 'node:vm';
import type { GpuSource, GpuThread } from '../kernels/gpu/form.ts';
import { sources as shipped } from '../kernels/gpu/sources.generated.ts';
import type { Params, Shape } from '../kernels/kernel.ts';
import { sizeOf } from '../kernels/shape.ts';
import type { Device, Storage } from '../src/tensor/device/device.ts';

class ThreadStorage implements Storage {
  version = 0;
  readonly dtype = 'float64';
  values: Float64Array;

  constructor(values: Float64Array) {
    this.values = values;
  }

  get size(): number {
    return this.values.length;
  }
}

/** A form's source text as a function. */
type Run = (this: GpuThread, ...args: readonly (Float64Array | number)[]) => number;

/** For arrays up to this length, a read out of range throws. (On a GPU it returns an arbitrary value.) */
const WATCHED = 1000;

const inRange: ProxyHandler<Float64Array> = {
  get(values, index) {
    const place = Number(String(index));
    if (Number.isInteger(place) && place >= 0 && place < values.length) return values[place];
    throw new RangeError(`read at ${String(index)} of ${values.length} values`);
  },
};

/** Runs a form on all threads of its output. */
function runThreads(
  { sizes: names, constants, numbers, threads, derived = {}, thread: text }: GpuSource,
  inputs: readonly Float64Array[],
  sizes: readonly number[],
  params: Params,
): Float64Array {
  const size = (name: string) => sizes[names.indexOf(name)];
  const number = (name: string) =>
    name in derived ? derived[name](params) : names.includes(name) ? size(name) : params[name];
  const run = runInThisContext(`(${text})`) as Run;
  const args = [
    ...inputs.map((input) => (input.length <= WATCHED ? new Proxy(input, inRange) : input)),
    ...numbers.map(number),
  ];
  const thread = { x: 0, y: 0, z: 0 };
  const self = { thread, constants: Object.fromEntries(constants.map((name) => [name, size(name)])) };
  const [X, Y = 1, Z = 1] = threads(sizes);
  const y = new Float64Array(X * Y * Z);
  let at = 0;
  for (thread.z = 0; thread.z < Z; thread.z++) {
    for (thread.y = 0; thread.y < Y; thread.y++) {
      for (thread.x = 0; thread.x < X; thread.x++) y[at++] = run.apply(self, args);
    }
  }
  return y;
}

/** The device, with the forms of the library or with the given ones. */
export function gpuThreads(sources: Readonly<Record<string, GpuSource>> = shipped): Device {
  return {
    name: 'cpu',
    dtypes: ['float64'],
    adapter: 'gpu forms, thread by thread',
    upload: (values) => new ThreadStorage(Float64Array.from(values)),

    run(kernel, inputs, shapes, shape, params, inPlace) {
      const run = (arrays: readonly Float64Array[], of: readonly Shape[]) =>
        runThreads(sources[kernel.name], arrays, kernel.sizes(of, params), params);
      const arrays = inputs.map(valuesOf);
      let values: Float64Array;
      if (kernel.variadic) {
        // Variadic kernels run on two inputs at a time, as on a GPU.
        let joined = shapes[0];
        values = arrays.slice(1).reduce((before, next, k) => {
          const pair = [joined, shapes[k + 1]];
          joined = kernel.shape(pair, params);
          return run([before, next], pair);
        }, arrays[0]);
      } else {
        values = run(arrays, shapes);
      }
      if (values.length !== sizeOf(shape)) {
        throw new Error(`${kernel.name}: ${values.length} threads for [${shape.join(', ')}]`);
      }
      const [first] = inputs;
      if (!inPlace || !(first instanceof ThreadStorage)) return new ThreadStorage(values);
      first.values = values;
      first.version++;
      return first;
    },

    read: (storage) => Promise.resolve(valuesOf(storage).slice()),
    readSync: (storage) => valuesOf(storage).slice(),
    free: () => undefined,
  };
}

function valuesOf(storage: Storage): Float64Array {
  if (storage instanceof ThreadStorage) return storage.values;
  throw new TypeError('memory of another device');
}
