import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
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
      expect(program.device()).toBe('wasm'); // the binary is in the bundle
      const losses = program.train();
      expect(losses.at(-1)).toBeLessThan(losses[0] / 4);
      expect(program.mistake).toThrow(/^BatchNorm1d\(2\): 1 value per feature, .* Hint: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('contains the files that users need, and no others', () => {
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
      'dist/explorer.html',
      ...['README.md', 'batchnorm.py', 'data.py', 'safetensors_file.py', 'train.py'].map(
        (name) => `dist/src/training/pytorch/python/${name}`,
      ),
      'package.json',
    ]);
  });

  it('imports the packages that it depends on: gpu.js, env-paths and nanotar', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(dependencies)).toEqual(['env-paths', 'gpu.js', 'nanotar']);
    const modules = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.(js|d\.ts)$/.test(file) && !file.startsWith('command'), // see command.test.ts
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
    expect([...new Set(packages)].sort()).toEqual(['env-paths', 'gpu.js', 'nanotar']);
  });

  it('contains pbf, which writes ONNX files, with its license', () => {
    const text = readFileSync(join(root, 'dist/src/io/onnx/protobuf.js'), 'utf8');
    expect(text).toMatch(/^\/\*! pbf\n\nCopyright \(c\) \d+, Mapbox\n/);
    expect(text).toContain('THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS');
    expect(text).toContain('class PbfWriter');
  });

  it('is imported by its name, in all entries, which share their classes', () => {
    const script = `
      import { Dense, GammaBetaError, tensor } from 'gammabeta';
      import { loadMnist } from 'gammabeta/node';
      import { toOnnx } from 'gammabeta/onnx';
      console.log(tensor([1, 2]).sum().item(), typeof loadMnist);
      console.log(toOnnx(new Dense(2, 3), { input: [2] }).length > 100);
      try {
        toOnnx(new Dense(2, 3), { input: [4] });
      } catch (error) {
        console.log(error instanceof GammaBetaError);
      }`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(printed.trim().split('\n')).toEqual(['3 function', 'true', 'true']);
  });
});
