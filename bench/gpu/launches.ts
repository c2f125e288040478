/** Times a kernel on a GPU: its compilation, and each launch. */
import * as kernels from '../../kernels/index.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import { uploadInputs } from '../cases/benchmark-case.ts';
import { median } from '../statistics.ts';
import type { KernelSubject } from '../cases/kernel-subject.ts';
import { check } from './check.ts';
import type { GpuName } from './options.ts';
import type { LaunchTiming } from './gpu-report.ts';
import { timeInTurns } from './turns.ts';

/** The most bytes of results that launches may allocate before the GPU has computed them. */
const IN_FLIGHT = { software: 2 ** 28, hardware: 2 ** 30 };

/**
 * Validates a kernel, then times it.
 *
 * @throws {DisagreesError} The result is wrong.
 */
export async function timeLaunches(
  subject: KernelSubject,
  device: Device & { readonly name: GpuName },
  quick: boolean,
): Promise<LaunchTiming> {
  const { kernel, benchmark, cost, name, size } = subject;
  const { shapes, params, inPlace = false } = benchmark;
  const [{ shape }] = subject.results;
  const inputs = uploadInputs(benchmark, device);
  const launch = () => device.run(kernel, inputs, shapes, shape, params, inPlace);
  const free = (y: Storage) => {
    if (!inPlace) device.free(y);
  };
  try {
    const marker = await markerOn(device);
    const awaited = async (): Promise<{ y: Storage; seconds: number }> => {
      const begin = performance.now();
      const y = launch();
      await device.read(marker);
      return { y, seconds: (performance.now() - begin) / 1000 };
    };
    const first = await awaited();
    check(subject, await device.read(first.y));
    free(first.y);
    const later: number[] = [];
    for (let k = 0; k < 3; k++) {
      const { y, seconds } = await awaited();
      free(y);
      later.push(seconds);
    }
    const compile = first.seconds - median(later);
    device.free(marker);

    const block = async (launches: number) => {
      for (let k = 1; k < launches; k++) free(launch());
      const y = launch();
      await arrived(device, y, sizeOf(shape));
      free(y);
    };
    const inFlight = device.software === true ? IN_FLIGHT.software : IN_FLIGHT.hardware;
    const atMost = Math.max(1, Math.min(4096, Math.floor(inFlight / (4 * sizeOf(shape)))));
    const [sampled] = await timeInTurns([block], { quick, atMost });
    return {
      device: device.name,
      kernel: name,
      size,
      ...sampled,
      compile: compile > Math.max(...later) - Math.min(...later) ? compile : null,
      ...cost,
      gigabytesPerSecond: cost.bytes / sampled.seconds / 1e9,
      gigaflops: cost.flops / sampled.seconds / 1e9,
    };
  } finally {
    for (const input of inputs) device.free(input);
  }
}

/** A value on the GPU that was read once. Reading it again waits for earlier launches, and compiles nothing. */
async function markerOn(device: Device): Promise<Storage> {
  const one = device.upload([1], 'float32');
  const marker = device.run(kernels.relu, [one], [[1]], [1], {}, false);
  device.free(one);
  await device.read(marker);
  return marker;
}

/** Waits until a result is computed, by reading one of its elements. */
async function arrived(device: Device, y: Storage, size: number): Promise<void> {
  const params = { axis: 0, begin: 0, end: 1 };
  const element = device.run(kernels.sliceAxis, [y], [[size]], [1], params, false);
  await device.read(element);
  device.free(element);
}
