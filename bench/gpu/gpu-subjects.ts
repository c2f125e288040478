/** The sizes at which kernels are timed on a GPU: those of the network, and larger ones that keep a GPU busy. */
import * as kernels from '../../kernels/index.ts';
import type { Kernel, Shape } from '../../kernels/kernel.ts';
import type { BenchmarkCase } from '../cases/benchmark-case.ts';
import { benchmarkCases } from '../cases/kernel-cases.ts';
import { kernelSubject, type KernelSubject } from '../cases/kernel-subject.ts';

/** The options that decide the sizes. A software GPU is about a thousand times slower, so its sizes are small. */
export interface Sizes {
  readonly software: boolean;
  readonly quick: boolean;
}

/** The number of layers: the first cases of each product are the layers at batch 32. */
const LAYERS = 3;

const products = ['matmul', 'matmulTransposedB', 'matmulTransposedA'] as const;

/** So large that the GPU takes longer to compute than to launch, which shows its memory bandwidth. */
const large: Shape = [4096, 2048];
const streaming: Readonly<Record<string, BenchmarkCase>> = {
  add: { shapes: [large, large], params: {} },
  relu: { shapes: [large], params: {} },
  sumAxis: { shapes: [large], params: { axis: 0 } },
};

/** The sides of the square matrices. A software GPU would take minutes for larger ones. */
function sides({ software, quick }: Sizes): readonly number[] {
  if (software) return quick ? [128] : [128, 256];
  return quick ? [1024] : [1024, 2048];
}

/** The products of square matrices that are timed in both forms. */
export function squareProducts(sizes: Sizes): readonly KernelSubject[] {
  const sides = sizes.software ? [128] : sizes.quick ? [1024] : [1024, 4096];
  return sides.flatMap((n) =>
    products.map((name) => {
      const square: Shape = [n, n];
      return kernelSubject(kernels[name], { shapes: [square, square], params: {} });
    }),
  );
}

/**
 * Products of the network's shapes and square ones. Every other kernel at its largest size, which is mostly 1024×512; on
 * a software GPU at its smallest.
 */
export function gpuSubjects(sizes: Sizes): readonly KernelSubject[] {
  const squares = sides(sizes).map((n): BenchmarkCase => ({
    shapes: Array<Shape>(2).fill([n, n]),
    params: {},
  }));
  return keysOf(benchmarkCases).flatMap((name) => {
    const kernel: Kernel = kernels[name];
    const cases: readonly BenchmarkCase[] = benchmarkCases[name];
    const all = cases.filter(({ values }) => values === undefined); // a GPU takes the same time for all values
    const chosen = isProduct(name) ? [...layersOf(all, sizes), ...squares] : [typical(all, sizes)];
    const more = !sizes.software && !sizes.quick && name in streaming ? [streaming[name]] : [];
    return [...chosen, ...more].map((benchmark) => kernelSubject(kernel, benchmark));
  });
}

export function isProduct(name: string): name is (typeof products)[number] {
  return products.some((product) => product === name);
}

function layersOf(all: readonly BenchmarkCase[], { software }: Sizes): readonly BenchmarkCase[] {
  const layers = all.filter(({ shapes: [a, b] }) => a.join() !== b.join());
  return software ? layers.slice(0, LAYERS) : layers;
}

function typical(all: readonly BenchmarkCase[], { software }: Sizes): BenchmarkCase {
  return all[software ? 0 : all.length - 1];
}

function keysOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}
