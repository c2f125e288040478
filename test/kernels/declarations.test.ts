/** What a kernel declares about itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import { extents } from '../laws/kernel-laws.ts';
import { cases } from './cases/index.ts';
import fc from 'fast-check';

const folder = new URL('../../kernels/', import.meta.url);
/** The files that declare kernels; `quote.ts` is a tool. */
const sources = readdirSync(folder)
  .filter((file) => /^[\w-]+\.ts$/.test(file) && file !== 'quote.ts')
  .map((file) => readFileSync(new URL(file, folder), 'utf8'));
const all: [string, Kernel][] = Object.entries(kernels);

it('the list has more than forty kernels', () => {
  expect(all.length).toBeGreaterThan(40);
});

it('the list contains every kernel that the folder declares', () => {
  const declared = sources.flatMap((source) =>
    [...source.matchAll(/^export const (\w+): \w*Kernel\b/gm)].map(([, name]) => name),
  );
  expect(declared.sort()).toEqual(all.map(([name]) => name).sort());
});

it('no kernel imports from outside of the folder', () => {
  const imported = sources.flatMap((source) =>
    [...source.matchAll(/^(?:import|export)\b[^;]*? from '([^']+)'/gm)].map(([, path]) => path),
  );
  expect(imported.length).toBeGreaterThan(10);
  expect(imported.filter((path) => !/^\.\/[\w-]+\.ts$/.test(path))).toEqual([]);
});

describe.each(all)('%s', (name, kernel) => {
  it('has the name under which it is exported', () => {
    expect(kernel.name).toBe(name);
  });

  it('has distinct names for its inputs', () => {
    expect(kernel.inputs.length).toBeGreaterThan(0);
    expect(kernel.inputs.every((input) => input.length > 0)).toBe(true);
    expect(new Set(kernel.inputs).size).toBe(kernel.inputs.length);
  });

  it('has its equation as doc comment', () => {
    const documented = new RegExp(
      `\\S (=|←) \\S(?:(?!\\*/)[^])*[\\])}.] ?(\\n )?\\*/\\nexport const ${name}: \\w*Kernel\\b`,
    );
    expect(sources.filter((source) => documented.test(source))).toHaveLength(1);
  });

  it('lists parameters that it has, each once', () => {
    const { calls, except = [] } = cases[name as keyof typeof kernels];
    const { params: named = [] } = kernel;
    for (const n of [3, 4, 5].filter((extent) => !except.includes(extent))) {
      const [{ params }] = fc.sample(calls(n, 0), 1);
      expect(Object.keys(params)).toEqual(expect.arrayContaining([...named]));
    }
    expect(new Set(named).size).toBe(named.length);
  });

  it('has a cost: finite numbers, and at least 4 bytes if the output is not empty', () => {
    const { calls, except = [] } = cases[name as keyof typeof kernels];
    for (const n of extents.filter((extent) => !except.includes(extent))) {
      const [{ inputs, params }] = fc.sample(calls(n, n % 3), 1);
      const shapes = inputs.map(({ shape }) => shape);
      const sizes = kernel.sizes(shapes, params);
      const { bytes, flops } = kernel.cost(sizes);
      expect(sizes.every(Number.isInteger)).toBe(true);
      expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
      expect(Number.isSafeInteger(flops) && flops >= 0).toBe(true);
      const output = kernel.shape(shapes, params);
      if (![...shapes, output].flat().includes(0)) expect(bytes).toBeGreaterThanOrEqual(4);
    }
  });
});

it('the cost of a matrix product is two flops per product, and one transfer per value', () => {
  for (const kernel of [kernels.matmul, kernels.matmulTransposedA, kernels.matmulTransposedB]) {
    expect(kernel.cost([2, 3, 5])).toEqual({ flops: 2 * 2 * 3 * 5, bytes: 4 * (2 * 3 + 3 * 5 + 2 * 5) });
  }
});
