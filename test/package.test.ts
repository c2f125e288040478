import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create } from 'tar/create';
import { describe, expect, it } from 'vitest';
import type * as Vendor from '../src/data/download/vendor.ts';
import { bundle, loadedAtOnce } from './bundles.ts';

const root = join(import.meta.dirname, '..');

describe('the package', () => {
  it('bundles for the browser without node: and without gpu.js, and works minified', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-bundle-'));
    const { metafile } = await bundle({
      stdin: {
        contents: `
          import { BatchNorm1d, crossEntropy, Dense, deviceInfo, manualSeed, ReLU, Sequential, SGD, tensor } from './src/index.ts';
          export function train() {
            manualSeed(1);
            const model = new Sequential(new Dense(2, 4, { bias: false }), new BatchNorm1d(4), new ReLU(), new Dense(4, 2));
            const optimizer = new SGD(model.parameters(), { lr: 0.5 });
            const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
            return Array.from({ length: 30 }, () => {
              const loss = crossEntropy(model.forward(x), [0, 1, 1, 1]);
              optimizer.zeroGrad();
              loss.backward();
              optimizer.step();
              return loss.item();
            });
          }
          export const device = () => deviceInfo().device;
          export function mistake() {
            new BatchNorm1d(2).forward(tensor([[1, 2]]));
          }`,
        resolveDir: root,
        loader: 'ts',
      },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      absWorkingDir: folder,
    });
    const inputs = loadedAtOnce(metafile).flatMap((path) => Object.keys(metafile.outputs[path].inputs));
    expect(inputs.filter((input) => input.includes('node_modules'))).toEqual([]);
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.map(({ path }) => path),
    );
    expect(imported.filter((path) => path.startsWith('node:'))).toEqual([]);

    try {
      const file = join(folder, 'stdin.mjs');
      const program = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
        train: () => number[];
        mistake: () => void;
        device: () => string;
      };
      expect(program.device()).toBe('wasm'); // which is in the bundle, and needs no other file
      const losses = program.train();
      expect(losses.at(-1)).toBeLessThan(losses[0] / 4);
      expect(program.mistake).toThrow(/^BatchNorm1d\(2\): 1 value per feature, .* Hint: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('holds what users need, and nothing else', () => {
    const [{ files }] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        cwd: root,
        encoding: 'utf8',
      }),
    ) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']));
    expect(paths).toEqual(
      expect.arrayContaining(['dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/node.js']),
    );
    expect(paths).toContain('dist/command/gammabeta.js');
    const others = paths.filter(
      (path) => !/^dist\/(?:(?:src|kernels)\/.*\.(?:js|d\.ts)|command\/[\w-]+\.js)$/.test(path),
    );
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/command/LICENSES.txt',
      'dist/src/data/download/vendor.LICENSES.txt',
      'package.json',
    ]);
  });

  it('needs gpu.js alone to be installed', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(dependencies)).toEqual(['gpu.js']);
    const modules = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.(js|d\.ts)$/.test(file) && !file.startsWith('command'), // see examples/experiments/tests/command/packed.test.ts
    );
    const imported = modules.flatMap((file) => {
      const text = readFileSync(join(root, 'dist', file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, ''); // no examples
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
    expect([...new Set(packages)]).toEqual(['gpu.js']);
  });

  it('has in it, with their licenses, the packages that downloads need', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-vendor-'));
    try {
      execFileSync(process.execPath, ['--import', 'tsx', 'src/data/download/build-vendor.ts', folder], {
        cwd: root,
      });
      const file = join(folder, 'src/data/download/vendor.js');
      const vendor = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as typeof Vendor;
      expect(vendor.userCache('gammabeta')).toMatch(/gammabeta/);
      await create({ file: join(folder, 'x.tgz'), cwd: root, gzip: true, prefix: 'top' }, ['LICENSE']);
      await vendor.unpack(join(folder, 'x.tgz'), folder, ['LICENSE']);
      expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));

      const licenses = readFileSync(join(folder, 'src/data/download/vendor.LICENSES.txt'), 'utf8');
      const bundled = readFileSync(file, 'utf8').matchAll(/^\/\/ .*node_modules\/((?:@[^/]+\/)?[^/]+)\//gm);
      const names = new Set([...bundled].map(([, name]) => name));
      expect(names.size).toBeGreaterThan(4);
      for (const name of names) expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is imported by its name, in both entries', () => {
    const script = `
      import { tensor } from 'gammabeta';
      import { loadMnist } from 'gammabeta/node';
      console.log(tensor([1, 2]).sum().item(), typeof loadMnist);`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe('3 function');
  });
});
