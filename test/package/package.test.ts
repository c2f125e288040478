/** The tarball: what it contains, what it imports, and what the tools that check packages say about it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { installPacked } from './bundles.ts';

const root = join(import.meta.dirname, '../..');
let folder = '';
let installed = '';
let files: readonly string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-tarball-'));
  installed = join(installPacked(folder), 'node_modules/gammabeta');
  files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(installed.length + 1)
        .replaceAll('\\', '/'),
    );
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => readFileSync(join(installed, file), 'utf8');

describe('the files of the package', () => {
  it('are those that users need, the sources and the documents', () => {
    expect(files).toEqual(
      expect.arrayContaining(['dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/node.js']),
    );
    const kinds = [
      /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|CONTRIBUTING\.md|bench\/README\.md)$/,
      /^dist\/(?:src|kernels)\/.*\.d\.ts$/,
      /^dist\/modules\/(?:src|kernels)\/.*\.js$/,
      /^dist\/src\/[\w-]+\.js$/,
      /^dist\/(?:gammabeta\.min|gpu|pbf)\.js$/,
      /^dist\/command\/(?:[\w-]+\.js|LICENSES\.txt)$/,
      /^dist\/explorer\.html$/,
      /^dist\/(?:src|modules\/src\/training\/pytorch)\/python\/(?:README\.md|\w+\.py)$/,
      /^(?:src|kernels)\/.*\.(?:ts|json|md|svg|py)$/,
      /^examples\/(?:[\w-]+\.ts|.*\.(?:md|svg|png)|experiments\/lab\/claims\/[\w-]+\.ts)$/,
    ];
    for (const kind of kinds)
      expect(files.filter((file) => kind.test(file)).length, String(kind)).not.toBe(0);
    expect(files.filter((file) => !kinds.some((kind) => kind.test(file)))).toEqual([]);
    expect(files.filter((file) => /\.test\.|(?:^|\/)tests?\//.test(file))).toEqual([]);
  });

  it('are fewer than 10 MB, without a native or compiled one', () => {
    const bytes = files.reduce((sum, file) => sum + readFileSync(join(installed, file)).length, 0);
    expect(bytes).toBeLessThan(10_000_000);
    expect(files.filter((file) => /\.(?:node|so|dll|dylib|wasm|gyp)$/.test(file))).toEqual([]);
  });

  it('include everything that the README and the documents it names link to', () => {
    const documents = files.filter((file) => file.endsWith('.md'));
    expect(documents).toContain('kernels/batchnorm.md');
    const dead = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)(?<path>[^)#]+)/g)]
        .map((link) => normalize(join(dirname(document), link.groups?.path ?? '')).replaceAll('\\', '/'))
        .filter((path) => !files.some((file) => file === path || file.startsWith(`${path}/`)))
        .map((path) => ({ document, path })),
    );
    expect(dead.filter(({ document }) => document === 'README.md')).toEqual([]);
    // Tests, benchmarks and programs of the experiments are in a clone only, like the commands that run them.
    expect(dead.filter(({ path }) => !/^(?:test|bench|examples\/experiments)\//.test(path))).toEqual([]);
  });
});

describe('the metadata', () => {
  it('has no error, warning or suggestion by publint', async () => {
    const bytes = readFileSync(inject('tarball'));
    const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    // The address of the repository is not known yet.
    const shown = messages.map((message) => formatMessage(message, pkg));
    expect(shown).toEqual([]);
  });

  it(
    'resolves to the right types for every module system that loads ES modules',
    { timeout: 60_000 },
    async () => {
      const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(inject('tarball'))));
      const analysis = await checkPackage(tarball);
      if (analysis.types === false) throw new Error('the package has no types');
      expect(Object.keys(analysis.entrypoints)).toEqual(
        expect.arrayContaining(['.', './node', './networks', './onnx']),
      );
      // The profile esm-only: programs that resolve modules as Node 10 did, or load them with `require`, are not served.
      const problems = analysis.problems.filter(
        (problem) =>
          !('resolutionKind' in problem && /^node(?:10|16-cjs)$/.test(problem.resolutionKind)) &&
          problem.kind !== 'CJSResolvesToESM',
      );
      expect(problems).toEqual([]);
    },
  );

  it('names no install script, which npm would warn about', () => {
    const hooks = [
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ];
    expect(hooks.filter((hook) => hook in packageJson.scripts)).toEqual([]);
  });
});

describe('the dependencies', () => {
  it('are the packages that the library imports', () => {
    expect(Object.keys(packageJson.dependencies)).toEqual(['env-paths', 'nanotar']);
    const modules = files.filter((file) => /^dist\/(?:src|kernels|modules)\/.*\.(?:js|d\.ts)$/.test(file));
    const imported = modules.flatMap((file) => {
      const text = read(file).replaceAll(/\/\*[^]*?\*\//g, ''); // no examples
      const names = text.matchAll(
        /^(?:import|export)\b[^'";]*?\bfrom ['"](?<from>[^'"]+)['"]|\bimport\(['"](?<lazily>[^'"]+)['"]\)|^import ['"](?<alone>[^'"]+)['"]/gm,
      );
      return [...names].map(({ groups }) => {
        const { from, lazily, alone } = groups as Record<string, string | undefined>;
        return from ?? lazily ?? alone ?? '';
      });
    });
    const packages = imported.filter((name) => !name.startsWith('.') && !isBuiltin(name));
    expect(imported.length).toBeGreaterThan(100);
    expect([...new Set(packages)].sort()).toEqual(Object.keys(packageJson.dependencies));
  });

  it('do not include gpu.js, which is in the package: the installed version, with its license', () => {
    const text = read('dist/gpu.js');
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/gpu.js/package.json'), 'utf8')) as {
      version: string;
    };
    expect(text).toMatch(/^\/\*! This file contains code of these packages\.\n/);
    expect(text).toContain(`\ngpu.js ${version}\n\n`);
    expect(text).toContain(readFileSync(join(root, 'node_modules/gpu.js/LICENSE'), 'utf8').trim());
    expect(text).toMatch(/^acorn \d+\.\d+\.\d+$/m);
    expect(text).toMatch(/^gpu-mock\.js \d+\.\d+\.\d+$/m);
    expect(read('dist/modules/src/tensor/device/gpu/gpu-js.js')).toContain("import('../../../../../gpu.js')");
  });

  it('do not include pbf, which writes ONNX files and is in the package with its license', () => {
    const text = read('dist/pbf.js');
    expect(text).toMatch(/^\/\*! This file contains code of these packages\.\n\npbf \d/);
    expect(text).toContain(readFileSync(join(root, 'node_modules/pbf/LICENSE'), 'utf8').trim());
    expect(read('dist/modules/src/io/onnx/protobuf.js')).toContain("from '../../../../pbf.js'");
  });
});

it('every entry is imported by its name, and they share their classes', () => {
  const script = `
    import { Dense, GammaBetaError, tensor } from 'gammabeta';
    import { loadMnist } from 'gammabeta/node';
    import { nets } from 'gammabeta/networks';
    import { toOnnx } from 'gammabeta/onnx';
    console.log(tensor([1, 2]).sum().item(), typeof loadMnist, Object.keys(nets).length > 0);
    console.log(toOnnx(new Dense(2, 3), { input: [2] }).length > 100);
    try {
      toOnnx(new Dense(2, 3), { input: [4] });
    } catch (error) {
      console.log(error instanceof GammaBetaError);
    }`;
  const run = ['--input-type=module', '--eval', script];
  const printed = execFileSync(process.execPath, run, { cwd: join(folder, 'app'), encoding: 'utf8' });
  expect(printed.trim().split('\n')).toEqual(['3 function true', 'true', 'true']);
});
