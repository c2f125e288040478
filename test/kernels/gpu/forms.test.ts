/** The GPU forms, tested without a GPU: the list is complete, the text is up to date, and the laws catch mistakes. */
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

describe('the generated forms', () => {
  it('are one per kernel', () => {
    expect(Object.keys(sources).sort()).toEqual(Object.keys(kernels).sort());
  });

  it('are up to date with the sources (if not: npm run build:kernels)', () => {
    const script = `import { generateGpu } from ${JSON.stringify(join(folder, 'build.ts'))}; process.stdout.write(await generateGpu());`;
    const built = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    );
    expect(built === readFileSync(join(folder, 'sources.generated.ts'), 'utf8')).toBe(true);
  }, 60_000);

  it.each(Object.entries(sources))(
    'of %s: the text declares no integers and calls nothing but Math',
    (_, source) => {
      expect(source.thread).not.toMatch(/(const|let) (\w+|\{.*\}) = this\.|=>|\/\*|\/\//);
      const called = [...source.thread.matchAll(/([\w.]+)\(/g)].map(([, name]) => name);
      expect(called.filter((name) => !/^(Math\.\w+|function|for|if)$/.test(name))).toEqual([]);
    },
  );
});

describe('inlineIntegers', () => {
  const inlined = (...lines: string[]) => inlineIntegers(lines.join('\n'), ['begin']).split('\n');

  it('replaces names made of thread and constants by their values', () => {
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

  it('does not replace values read from an array, or quotients', () => {
    const lines = [
      '  const row = rows[this.thread.x];',
      '  const half = this.constants.n / 2;',
      '  return row + half;',
    ];
    expect(inlined(...lines)).toEqual(lines);
  });

  it('does not replace names of properties', () => {
    expect(inlined('  const n = this.thread.x;', '  return n + this.constants.n;')).toEqual([
      '  return this.thread.x + this.constants.n;',
    ]);
  });

  it('refuses one name for two integers', () => {
    expect(() => inlined('  const i = this.thread.x;', '  const i = this.thread.y;')).toThrow(
      "'i' is two integers",
    );
    expect(() => inlined('  for (let i = 0; i < 3; i++) {', '    const i = this.thread.x;')).toThrow(
      "'i' is two",
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
    refused(undefined).toThrow('scale has no form for gpu.js');
  });

  it('inputs in another order or with other names', () => {
    refused(form((a: number[], factor: number) => a[0] * factor)).toThrow();
    refused(
      form(function (this: GpuThread, a: number[], factor: number) {
        return a[this.thread.x] * factor;
      }),
    ).toThrow("scale: argument 0 is the input 'x', and is called 'a'");
  });

  it('an argument without a value', () => {
    refused(
      form(function (this: GpuThread, x: number[], slope: number) {
        return x[this.thread.x] * slope;
      }),
    ).toThrow("scale: the argument 'slope' is no input, no size and none of the kernel's params");
  });

  it('a constant that is not a size', () => {
    refused(
      form(function (this: GpuThread, x: number[]) {
        return x[this.thread.x] * this.constants.m;
      }),
    ).toThrow("scale: the constant 'm' is none of its sizes");
  });
});

describe('the laws refuse', () => {
  /** The thread device with a changed text in one form. */
  const withText = (name: keyof typeof kernels, from: string, to: string): DeviceUnderTest => {
    const source: GpuSource = { ...sources[name], thread: sources[name].thread.replaceAll(from, to) };
    expect(source.thread).not.toBe(sources[name].thread);
    const device = gpuThreads({ ...sources, [name]: source });
    return { name: 'planted', device, dtype: 'float64', rtol: 1e-12, atol: 1e-11 };
  };

  it.each<[what: string, name: keyof typeof kernels, from: string, to: string]>([
    [
      'an operand that is transposed',
      'matmulTransposedA',
      'this.constants.m + this.thread.y',
      'this.constants.k + this.thread.y',
    ],
    [
      'a loop that stops after 1,000',
      'sumAxis',
      '< this.constants.n;',
      '< Math.min(1000, this.constants.n);',
    ],
    [
      'a last block that is skipped',
      'colSum',
      'Math.min(64, this.constants.m - start)',
      '64 * Math.floor((this.constants.m - start) / 64)',
    ],
    ['a last block of full length', 'colDot', 'Math.min(64, this.constants.m - start)', '64'],
    ['a variance that corrects for a rounding of the mean that is too large', 'colVariance', '24e-8', '24'],
    ['exchanged axes', 'transpose', 'this.constants.columns', 'this.constants.rows'],
    ['an index that is one too large', 'addBias', 'b[this.thread.x]', 'b[this.thread.x + 1]'],
  ])('%s', async (_, name, from, to) => {
    await expect(devicesAgree(cases[name], withText(name, from, to))).rejects.toThrow(/seed: -?\d+/);
  });
});
