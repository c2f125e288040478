/** Everything that is timed: all kernels and fusions, at each of their sizes. */
import type { Fusion } from '../../kernels/fused/fusion.ts';
import * as fusions from '../../kernels/fused/index.ts';
import * as kernels from '../../kernels/index.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import type { BenchmarkCase } from './benchmark-case.ts';
import { fusionCases } from './fusion-cases.ts';
import { fusionSubject } from './fusion-subject.ts';
import { benchmarkCases } from './kernel-cases.ts';
import { kernelSubject, type KernelSubject, type Subject } from './kernel-subject.ts';

export const kernelSubjects: readonly KernelSubject[] = keysOf(benchmarkCases).flatMap((name) => {
  const kernel: Kernel = kernels[name];
  const cases: readonly BenchmarkCase[] = benchmarkCases[name];
  return cases.map((benchmark) => kernelSubject(kernel, benchmark));
});

export const fusionSubjects: readonly Subject[] = keysOf(fusionCases).flatMap((name) => {
  const fusion: Fusion = fusions[name];
  const cases: readonly BenchmarkCase[] = fusionCases[name];
  return cases.map((benchmark) => fusionSubject(fusion, benchmark));
});

export const subjects: readonly Subject[] = [...kernelSubjects, ...fusionSubjects];

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}
