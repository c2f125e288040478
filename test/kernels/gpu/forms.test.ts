/** Tests of the GPU forms without a GPU: they are complete, the generated file is current, and the laws catch planted faults. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry } from '../../../kernels/gpu/build.ts';
import type { GpuForm, GpuSource, GpuThread } from '../../../kernels/gpu/form.ts';
import { sources } from '../../../kernels/gpu/sources.generated.ts';
import { inlineIntegers } from '../../../kernels/gpu/inline-integers.ts';
import * as kernels from '../../../kernels/index.ts';
import { gpuThreads } from '../../gpu-threads.ts';
import { devicesAgree, type DeviceUnderTest } from '../../laws/kernel-laws.ts';
import { cases } from '../cases/index.ts';

const folder = join(import.meta.dirname, '../../../kernels/gpu');

describe('the generated file', () => {
  it('has one form for each kernel', () => {
    expect(Object.keys(sources).sort()).toEqual(Object.keys(kernels).sort());
  });

  it('is up to date with its sources (otherwise run npm run build:kernels)', () => {
    const script = `import { generateGpu } from ${JSON.stringify(join(folder, 'build.ts'))}; process.stdout.write(await generateGpu());`;
    const built = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    );
    expect(built === readFileSync(join(folder, 'sources.generated.ts'), 'utf8')).toBe(true);
  }, 60_000);

  it.each(Object.entries(sources))(
    'declares no integer and calls nothing but Math in the form of %s',
    (_, source) => {
      expect(source.thread).not.toMatch(/(const|let) (\w+|\{.*\}) = this\.|=>|\/\*|\/\//);
      const called = [...source.thread.matchAll(/([\w.]+)\(/g)].map(([, name]) => name);
      expect(called.filter((name) => !/^(Math\.\w+|function|for|if)$/.test(name))).toEqual([]);
    },
  );
});

describe('inlineIntegers', () => {
  const inlined = (...lines: string[]) => inlineIntegers(lines.join('\n'), ['begin']).split('\n');

  it('replaces constants computed from thread and sizes by their values', () => {
    expect(
      inlined(
        '  const { x: i, y } = this.thread;',
        '  const n = this.constants.n;',
        '  const row = y * n;',
        '  return x[row + i];',
      ),
    ).toEqual(['  return x[(this.thread.y * this.constants.n) + this.thread.x];']);
  });

  it('treats loop counters and integer arguments as integers', () => {
    expect(
      inlined(
        '  for (let p = 0; p < this.constants.k; p++) {',
        '    const at = begin - p;',
        '    sum += a[at];',
        '  }',
      ),
    ).toEqual(['  for (let p = 0; p < this.constants.k; p++) {', '    sum += a[(begin - p)];', '  }']);
  });

  it('keeps constants that are read from an array or divided', () => {
    const lines = [
      '  const row = rows[this.thread.x];',
      '  const half = this.constants.n / 2;',
      '  return row + half;',
    ];
    expect(inlined(...lines)).toEqual(lines);
  });

  it('does not replace property names', () => {
    expect(inlined('  const n = this.thread.x;', '  return n + this.constants.n;')).toEqual([
      '  return this.thread.x + this.constants.n;',
    ]);
  });

  it('refuses a name with two values', () => {
    expect(() => inlined('  const i = this.thread.x;', '  const i = this.thread.y;')).toThrow(
      "'i' is declared twice, again as this.thread.y",
    );
    expect(() => inlined('  for (let i = 0; i < 3; i++) {', '    const i = this.thread.x;')).toThrow(
      "'i' is declared twice",
    );
  });
});

describe('the build refuses', () => {
  const form = (thread: GpuForm['thread'], sizes = ['n']): GpuForm => ({
    sizes,
    threads: ([n]) => [n],
    thread,
  });
  const refused = (wrong: GpuForm | undefined) => expect(() => entry(kernels.scale, wrong));

  it('a kernel without a form', () => {
    refused(undefined).toThrow('scale has no GPU form');
  });

  it('inputs in another order or with another name', () => {
    refused(form((a: number[], factor: number) => a[0] * factor)).toThrow();
    refused(
      form(function (this: GpuThread, a: number[], factor: number) {
        return a[this.thread.x] * factor;
      }),
    ).toThrow("scale: argument 0 is named 'a', but the input is 'x'");
  });

  it('an argument without a value', () => {
    refused(
      form(function (this: GpuThread, x: number[], slope: number) {
        return x[this.thread.x] * slope;
      }),
    ).toThrow("scale: the argument 'slope' is not an input, a size or a parameter of the kernel");
  });

  it('a constant that is not a size', () => {
    refused(
      form(function (this: GpuThread, x: number[]) {
        return x[this.thread.x] * this.constants.m;
      }),
    ).toThrow("scale: the constant 'm' is not a size");
  });
});

describe('the laws catch', () => {
  /** The GPU forms run thread by thread, with a fault planted in one of them. */
  const withText = (name: keyof typeof kernels, from: string, to: string): DeviceUnderTest => {
    const source: GpuSource = { ...sources[name], thread: sources[name].thread.replaceAll(from, to) };
    expect(source.thread).not.toBe(sources[name].thread);
    const device = gpuThreads({ ...sources, [name]: source });
    return { name: 'planted', device, dtype: 'float64', rtol: 1e-12, atol: 1e-11 };
  };

  it.each<[what: string, name: keyof typeof kernels, from: string, to: string]>([
    [
      'a transposed operand',
      'matmulTransposedA',
      'this.constants.m + this.thread.y',
      'this.constants.k + this.thread.y',
    ],
    ['a loop that stops at 1,000', 'sumAxis', '< this.constants.n;', '< Math.min(1000, this.constants.n);'],
    [
      'an omitted last block',
      'colSum',
      'Math.min(64, this.constants.m - start)',
      '64 * Math.floor((this.constants.m - start) / 64)',
    ],
    ['a last block of full length', 'colDot', 'Math.min(64, this.constants.m - start)', '64'],
    ['a variance that corrects for any mean', 'colVariance', '24e-8', '24'],
    ['exchanged axes', 'transpose', 'this.constants.columns', 'this.constants.rows'],
    ['an index that is one too large', 'addBias', 'b[this.thread.x]', 'b[this.thread.x + 1]'],
  ])('%s', async (_, name, from, to) => {
    await expect(devicesAgree(cases[name], withText(name, from, to))).rejects.toThrow(/seed: -?\d+/);
  });
});
