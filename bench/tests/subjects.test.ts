import { describe, expect, it } from 'vitest';
import { type BenchmarkCase, sizeName } from '../cases/benchmark-case.ts';
import { formNames, openForms } from '../forms.ts';
import { fusionCases } from '../cases/fusion-cases.ts';
import { benchmarkCases } from '../cases/kernel-cases.ts';
import { fusionSubjects, kernelSubjects, subjects } from '../cases/subjects.ts';
import { labelOf, validate } from '../validate.ts';
import * as fusions from '../../kernels/fused/index.ts';
import { signatures } from '../../kernels/fused/signatures.ts';
import * as kernels from '../../kernels/index.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import { openWasm } from '../../src/tensor/device/wasm/open-wasm.ts';

const names = Object.keys(kernels) as (keyof typeof kernels)[];
const fusionNames = Object.keys(fusions) as (keyof typeof fusions)[];
const { opened } = openForms(formNames);

describe('the tables of benchmark cases', () => {
  it('list exactly the kernels and fusions', () => {
    expect(Object.keys(benchmarkCases).sort()).toEqual([...names].sort());
    expect(Object.keys(fusionCases).sort()).toEqual([...fusionNames].sort());
  });

  it.each(names)('have cases that fit the kernel %s', (name) => {
    const kernel: Kernel = kernels[name];
    expect(kernel.name).toBe(name);
    expect(benchmarkCases[name].length).toBeGreaterThan(0);
    for (const { shapes, params, draws, inPlace = false } of benchmarkCases[name]) {
      if (!kernel.variadic) expect(shapes).toHaveLength(kernel.inputs.length);
      if (draws) expect(draws).toHaveLength(shapes.length);
      if (inPlace) expect(kernel.inPlace).toBe(true);
      expect(kernel.cost(kernel.sizes(shapes, params)).bytes).toBeGreaterThan(0);
    }
  });

  it.each(fusionNames)('have cases that fit the fusion %s', (name) => {
    expect(fusions[name].name).toBe(name);
    const all: readonly BenchmarkCase[] = fusionCases[name];
    expect(all.length).toBeGreaterThan(0);
    for (const { shapes, draws } of all) {
      expect(shapes).toHaveLength(signatures[name].inputs.length);
      if (draws) expect(draws).toHaveLength(shapes.length);
    }
  });

  it('give each size a different label', () => {
    const labels = subjects.map(labelOf);
    expect(new Set(labels).size).toBe(labels.length);
    expect(sizeName({ shapes: [[2, 3], [2, 3], [3]], params: { axis: 1 } })).toBe('2×3 3 axis 1');
  });

  it('include square products, updates of the largest weight, and batch normalization', () => {
    const labels = subjects.map(labelOf);
    expect(labels).toEqual(
      expect.arrayContaining(['matmul 512×512', 'matmul 1024×1024', 'adamUpdate 784×300']),
    );
    for (const size of ['32×784 784', '64×512 512', '1024×512 512']) {
      expect(labels).toContain(`batchnormForward ${size}`);
    }
  });
});

describe('the subjects', () => {
  const firsts = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] =>
    all.filter((subject, i) => i === 0 || subject.name !== all[i - 1].name);

  it.each(opened)('compute right results in the form $form', async ({ device }) => {
    for (const subject of [...firsts(kernelSubjects), ...firsts(fusionSubjects)]) {
      await validate(subject, device);
    }
  });

  it('free all memory of a device', () => {
    const device = openWasm();
    for (const subject of [...firsts(kernelSubjects), ...firsts(fusionSubjects)]) {
      const prepared = subject.prepare(device);
      prepared.run();
      prepared.run();
      prepared.free();
      expect(device.residency.inUse).toBe(0);
    }
  });
});
