/** Everything that is timed: all kernels and fusions, at each of their sizes. */
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
  const cases: readonly BenchmarkCase[] = fusionCases[name];
  return cases.map((benchmark) => fusionSubject(name, benchmark));
});

export const subjects: readonly Subject[] = [...kernelSubjects, ...fusionSubjects];

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}
