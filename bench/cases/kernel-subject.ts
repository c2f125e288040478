/** A kernel at a size, to validate and time. */
import type { Cost, FloatArray, Kernel, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { type BenchmarkCase, inputsOf, sizeName, uploadInputs } from './benchmark-case.ts';

/** A kernel or a fusion at a size. */
export interface Subject {
  readonly name: string;
  readonly size: string;
  readonly cost: Cost;
  /** Whether it has a SIMD form beside the reference. */
  readonly simd: boolean;
  /** The results in order: the outputs, then the inputs that are updated in place. */
  readonly results: readonly { readonly name: string; readonly shape: Shape }[];
  prepare(device: Device): Prepared;
  /** Computes the results on a device. */
  compute(device: Device): Promise<readonly FloatArray[]>;
  /** Computes the results with the references in float64. */
  expected(): readonly FloatArray[];
}

/** A subject whose inputs are on a device. */
export interface Prepared {
  /** Computes all results and frees new ones. */
  run(): void;
  /** Frees the inputs. */
  free(): void;
}

export interface KernelSubject extends Subject {
  readonly kernel: Kernel;
  readonly benchmark: BenchmarkCase;
}

export function kernelSubject(kernel: Kernel, benchmark: BenchmarkCase): KernelSubject {
  const { shapes, params, inPlace = false, statistics = [] } = benchmark;
  const shape = kernel.shape(shapes, params);
  const sizes = kernel.sizes(shapes, params);
  return {
    kernel,
    benchmark,
    name: kernel.name,
    size: sizeName(benchmark),
    cost: kernel.cost(sizes),
    simd: kernel.simd !== undefined && statistics.length === 0,
    results: [{ name: '', shape }],

    prepare(device) {
      const inputs = uploadInputs(benchmark, device);
      return {
        run: () => {
          const y = device.run(kernel, inputs, shapes, shape, params, inPlace);
          if (!inPlace) device.free(y);
        },
        free: () => inputs.forEach((input) => device.free(input)),
      };
    },

    async compute(device) {
      const inputs = uploadInputs(benchmark, device);
      return [await device.read(device.run(kernel, inputs, shapes, shape, params, inPlace))];
    },

    expected() {
      const y = new Float64Array(sizeOf(shape));
      const inputs = inputsOf(benchmark).map((values) => Float64Array.from(values));
      kernel.reference(y, inputs, sizes, params);
      return [y];
    },
  };
}
