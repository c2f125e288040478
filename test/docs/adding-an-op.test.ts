/**
 * The recipe "Adding an op" of CONTRIBUTING.md. Its diff is applied to a copy of the repository, where types, laws and
 * gradients are checked.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './collect-examples.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const diff =
  /<!-- softplus -->\s*```diff\n(?<body>[\s\S]*?)```/.exec(read('CONTRIBUTING.md'))?.groups?.body ?? '';

/** The files that the copy needs. */
const copied = ['kernels', 'src', 'bench', 'test', 'package.json', 'tsconfig.json'];

/** The settings of the project `node` in `vitest.config.ts`, without its other projects, which take seconds to load. */
const config = `export default {
  test: { setupFiles: ['test/setup.ts'], isolate: false, maxWorkers: 1, env: { GAMMABETA_THREADS: '1' } },
};`;

/**
 * What the types of the whole repository would show, in the tables over kernels and ops. The second check reads what the
 * first one found out about the files that have not changed.
 */
const typed = {
  extends: './tsconfig.json',
  compilerOptions: { incremental: true, tsBuildInfoFile: 'tsconfig.copy.tsbuildinfo' },
  include: [],
  files: [
    'kernels/gpu/build.ts',
    'test/laws/kernels.test.ts',
    'test/tensor/op-gradients.test.ts',
    'bench/cases/subjects.ts',
  ],
};

const program = `
  import { gradcheck, tensor, useDevice } from './src/index.ts';
  const values = [-1000, -2, 0, 1, 1000];
  const found: Record<string, unknown> = {};
  for (const device of ['cpu', 'wasm'] as const) {
    await useDevice(device);
    found[device] = tensor(values).softplus().toArray();
  }
  await useDevice('cpu');
  const x = tensor([-3, -0.5, 0, 0.5, 3], { dtype: 'float64', requiresGrad: true });
  found.gradcheck = gradcheck((x) => x.softplus(), [x]);
  x.softplus().sum().backward();
  found.gradient = x.grad?.toArray();
  console.log(JSON.stringify(found));
`;

describe('the recipe "Adding an op" of CONTRIBUTING.md', () => {
  let copy = '';
  const run = (args: readonly string[], input = '') => {
    const own = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|GIT_|FORCE_COLOR)/.test(name));
    const env = { ...Object.fromEntries(own), NO_COLOR: '1' };
    const [command, ...rest] = args;
    const { status, stdout, stderr, error } = spawnSync(command, rest, {
      cwd: copy,
      env,
      input,
      encoding: 'utf8',
    });
    if (error) throw error;
    return { status, stdout, output: stdout + stderr };
  };
  const node = (...args: string[]) => run([process.execPath, ...args]);
  const compile = () => node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.copy.json');
  const test = (...args: string[]) => node('node_modules/vitest/vitest.mjs', 'run', ...args);

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'gammabeta-op-'));
    const kept = (source: string) => !/[\\/](?:node_modules|\.cache)$/.test(source);
    for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true, filter: kept });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
    writeFileSync(join(copy, 'tsconfig.copy.json'), JSON.stringify(typed));
    writeFileSync(join(copy, 'vitest.config.ts'), config);
    writeFileSync(join(copy, 'softplus.ts'), program);
    const { status, output } = run(['git', 'apply', '-'], diff);
    if (status === 0) return;
    throw new Error(
      `the diff in CONTRIBUTING.md does not apply:\n${output}Hint: make its five edits by hand, run the tests, ` +
        'and replace the block by the output of git diff -U1',
    );
  });
  afterAll(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  it('takes at most five edits: one place in each of five files', () => {
    const files = [...diff.matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, file]) => file);
    expect(files).toContain('src/tensor/ops.ts');
    expect(new Set(files).size).toBeLessThanOrEqual(5);
    expect(diff.match(/^@@/gm)).toHaveLength(files.length);
  });

  it('compiles, also the tables over all kernels and ops', { timeout: 120_000 }, () => {
    expect(compile()).toMatchObject({ status: 0, output: '' });
    expect(node('--import', 'tsx', 'kernels/gpu/build.ts')).toMatchObject({ status: 0 });
  });

  it('computes softplus on cpu and wasm, with the sigmoid as its derivative', { timeout: 60_000 }, () => {
    const { stdout, output } = node('--import', 'tsx', 'softplus.ts');
    expect(stdout, output).not.toBe('');
    const found = JSON.parse(stdout) as Record<'cpu' | 'wasm' | 'gradient', number[]> & {
      gradcheck: boolean;
    };
    const expected = [0, Math.log(1 + Math.exp(-2)), Math.log(2), Math.log(1 + Math.E), 1000];
    expect(found.cpu).toEqual([...Float32Array.from(expected)]);
    expect(found.wasm).toEqual(found.cpu);
    expect(found.gradcheck).toBe(true);
    found.gradient.forEach((slope, i) => {
      expect(slope).toBeCloseTo(1 / (1 + Math.exp(-[-3, -0.5, 0, 0.5, 3][i])), 14);
    });
  });

  it('obeys the laws of kernels and of ops', { timeout: 120_000 }, () => {
    const files = [
      'test/laws/kernels.test.ts',
      'test/kernels/declarations.test.ts',
      'test/kernels/special-values-everywhere.test.ts',
      'test/tensor/op-gradients.test.ts',
    ];
    const { status, output } = test('-t', 'softplus', ...files);
    expect(status, output).toBe(0);
    expect(output).toMatch(/Test Files +4 passed/);
  });

  it('fails without the law, and with a wrong gradient', { timeout: 120_000 }, () => {
    const edit = (file: string, from: RegExp, to: string) => {
      const before = readFileSync(join(copy, file), 'utf8');
      const after = before.replace(from, to);
      expect(after).not.toBe(before);
      writeFileSync(join(copy, file), after);
    };
    edit('test/kernels/cases/elementwise.ts', /^ *softplus: .*\n/m, '');
    expect(compile().output).toContain("Property 'softplus' is missing");
    edit('src/tensor/ops.ts', /run\(\w+\.mul, \[g, (run\(\w+\.sigmoid, \[x\]\))\]\)/, '$1');
    const { status, output } = test('-t', 'softplus', 'test/tensor/op-gradients.test.ts');
    expect(status).toBe(1);
    expect(output).toContain('GradientError');
  });
});
