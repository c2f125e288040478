/** At which sizes kernels are timed on a GPU: those of the network, and what keeps a GPU busy. */
import * as kernels from '../../kernels/index.ts';
import type { Kernel, Shape } from '../../kernels/kernel.ts';
import type { BenchmarkCase } from '../cases/benchmark-case.ts';
import { benchmarkCases } from '../cases/kernel-cases.ts';
import { kernelSubject, type KernelSubject } from '../cases/kernel-subject.ts';

/** Which sizes there are depends on these: a software GPU is some thousand times slower. */
export interface Sizes {
  readonly software: boolean;
  readonly quick: boolean;
}

/** Of the network: these come first, at batch 32, in the cases of each product. */
const LAYERS = 3;

const products = ['matmul', 'matmulTransposedB', 'matmulTransposedA'] as const;

/** With which a GPU is busy for longer than it takes to be told to: to see how fast it moves. */
const large: Shape = [4096, 2048];
const streaming: Readonly<Record<string, BenchmarkCase>> = {
  add: { shapes: [large, large], params: {} },
  relu: { shapes: [large], params: {} },
  sumAxis: { shapes: [large], params: { axis: 0 } },
};

/** The sides of square matrices; a software GPU would take minutes for the larger ones. */
function sides({ software, quick }: Sizes): readonly number[] {
  if (software) return quick ? [128] : [128, 256];
  return quick ? [1024] : [1024, 2048, 4096];
}

/**
 * Products at the network's shapes and square ones; each other kernel at its largest size, 1024×512 mostly, or at its
 * smallest where the GPU is software.
 */
export function gpuSubjects(sizes: Sizes): readonly KernelSubject[] {
  const squares = sides(sizes).map((n): BenchmarkCase => ({
    shapes: Array<Shape>(2).fill([n, n]),
    params: {},
  }));
  return keysOf(benchmarkCases).flatMap((name) => {
    const kernel: Kernel = kernels[name];
    const cases: readonly BenchmarkCase[] = benchmarkCases[name];
    const all = cases.filter(({ values }) => values === undefined); // to a GPU, all values are alike
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
