/** The `cpu` device with fused kernels, so that layers are merged in float64 too. */
import type { Fusion } from '../../kernels/fused/fusion.ts';
import type { Kernel, Params, ParamsOf, Shape } from '../../kernels/kernel.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Output, Storage } from '../../src/tensor/device/device.ts';

/** Calls `fn` while `cpu` runs each fusion by itself, as the kernels that it is composed of. */
export async function withFusions<T>(fn: () => T): Promise<Awaited<T>> {
  cpu.runFused = runFused;
  try {
    return await fn();
  } finally {
    delete cpu.runFused;
  }
}

function runFused<P extends Params>(
  fusion: Fusion<P>,
  inputs: readonly Storage[],
  shapes: readonly Shape[],
  params: P,
): readonly Output[] {
  const values = inputs.map((storage, k): Output => ({ storage, shape: shapes[k] }));
  return fusion.compose<Output>({ run, update }, values, params);
}

function run<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Output[],
  ...[params]: ParamsOf<P>
): Output {
  return compute(kernel, inputs, (params ?? {}) as P, false);
}

function update<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Output[],
  ...[params]: ParamsOf<P>
): void {
  compute(kernel, inputs, (params ?? {}) as P, true);
}

function compute<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Output[],
  params: P,
  inPlace: boolean,
): Output {
  const storages = inputs.map(({ storage }) => storage);
  const shapes = inputs.map(({ shape }) => shape);
  const shape = kernel.shape(shapes, params);
  return { storage: cpu.run(kernel, storages, shapes, shape, params, inPlace), shape };
}
