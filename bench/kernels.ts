/** A kernel on a device: first whether it is right, then how long it takes. */
import type { FloatArray, Kernel, Shape } from '../kernels/kernel.ts';
import { formatShape, sizeOf } from '../kernels/shape.ts';
import type { Device, Storage } from '../src/tensor/device.ts';
import { seededStream } from '../src/tensor/random.ts';
import type { KernelCase } from '../test/laws.ts';
import type { BenchmarkCase } from './kernel-cases.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';

/**
 * How far float32 may be from the definition: |found − expected| ≤ 1e-5·(|expected| + largest |expected|).
 * The second term is for sums whose terms nearly cancel.
 */
const TOLERANCE = 1e-5;

/** What a kernel has to compute, element by element, said independently of it: see `test/kernels/cases`. */
export type Definition = KernelCase['at'];

export interface KernelTiming extends Timing {
  readonly kernel: string;
  readonly size: string;
  /** By what the kernel says that it moves, in 10⁹ bytes per second. */
  readonly gigabytesPerSecond: number;
  /** By what the kernel says that it computes; 0 for one that only moves. */
  readonly gigaflops: number;
}

/** A kernel whose result is not what it should be. It is not timed. */
export class KernelDisagreesError extends Error {
  override readonly name: string = 'KernelDisagreesError';
}

/** `32×784 784×300`, `32×10 axis 1`; one shape stands for several equal ones. */
export function sizeName({ shapes, params }: BenchmarkCase): string {
  const names = shapes.map((shape) => shape.join('×'));
  const axis = 'axis' in params ? [`axis ${params.axis}`] : [];
  return [...(new Set(names).size === 1 ? names.slice(0, 1) : names), ...axis].join(' ');
}

/**
 * Validates a kernel at a size, then times it there.
 *
 * @param validated What to await before; see {@link validate}, and `validation.ts` for a process that does it.
 * @throws {KernelDisagreesError} Its result is wrong.
 */
export async function timeKernel(
  kernel: Kernel,
  benchmark: BenchmarkCase,
  device: Device,
  validated: () => Promise<void>,
  options: TimerOptions = {},
): Promise<KernelTiming> {
  await validated();
  const { shapes, params, inPlace = false } = benchmark;
  const shape = kernel.shape(shapes, params);
  const storages = inputsOf(benchmark).map((values) => device.upload(values, 'float32'));
  const timing = await time(() => {
    const y = device.run(kernel, storages, shapes, shape, params, inPlace);
    if (!inPlace) device.free(y);
  }, options);
  const { bytes, flops } = kernel.cost(kernel.sizes(shapes, params));
  return {
    kernel: kernel.name,
    size: sizeName(benchmark),
    ...timing,
    gigabytesPerSecond: bytes / timing.seconds / 1e9,
    gigaflops: flops / timing.seconds / 1e9,
  };
}

/**
 * Holds every element of the device's result against the reference in float64, and that, at some hundred
 * places, against the definition.
 *
 * @throws {KernelDisagreesError} One of them is another.
 */
export async function validate(
  kernel: Kernel,
  at: Definition,
  benchmark: BenchmarkCase,
  device: Device,
): Promise<void> {
  const { shapes, params, inPlace = false } = benchmark;
  const shape = kernel.shape(shapes, params);
  const inputs = inputsOf(benchmark);
  const wide = inputs.map((values) => Float64Array.from(values));
  const reference = new Float64Array(sizeOf(shape));
  kernel.reference(reference, wide, kernel.sizes(shapes, params), params);

  const storages = inputs.map((values): Storage => device.upload(values, 'float32'));
  const found = await device.read(device.run(kernel, storages, shapes, shape, params, inPlace));
  const largest = reference.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const where = (place: number) =>
    `${kernel.name} ${sizeName(benchmark)} at ${formatShape(indexOf(place, shape))}`;
  const expectNear = (place: number, value: number, expected: number) => {
    if (Object.is(value, expected)) return; // NaN, and infinities
    if (Math.abs(value - expected) <= TOLERANCE * (Math.abs(expected) + largest)) return;
    throw new KernelDisagreesError(`${where(place)} is ${value}, and should be ${expected}`);
  };
  if (found.length !== reference.length) {
    throw new KernelDisagreesError(
      `${where(0)} has ${found.length} values, and should have ${reference.length}`,
    );
  }
  found.forEach((value, place) => {
    expectNear(place, value, reference[place]);
  });
  const readers = wide.map((data, k) => readerOf(data, shapes[k]));
  const call = { inputs: wide.map((data, k) => ({ shape: shapes[k], data })), params };
  const stride = Math.max(1, Math.floor(reference.length / 211)); // a prime: no column is met each time
  for (let place = 0; place < reference.length; place += stride) {
    expectNear(place, reference[place], at(indexOf(place, shape), readers, call));
  }
}

/** The same values in every run, and in float32, so that float64 computes with equal ones. */
function inputsOf({ shapes, draws = [] }: BenchmarkCase): Float32Array[] {
  const stream = seededStream(1);
  return shapes.map((shape, k) => {
    const draw = k < draws.length ? draws[k] : () => stream.normal();
    return Float32Array.from({ length: sizeOf(shape) }, () => draw(stream));
  });
}

function readerOf(data: FloatArray, shape: Shape): (...index: readonly number[]) => number {
  return (...index) => data[index.reduce((place, i, axis) => place * shape[axis] + i, 0)];
}

function indexOf(place: number, shape: Shape): number[] {
  return shape.map((extent, axis) => Math.floor(place / sizeOf(shape.slice(axis + 1))) % extent);
}
