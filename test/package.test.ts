import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

describe('the package', () => {
  it('bundles for the browser without node: and without gpu.js, and works minified', async () => {
    const { outputFiles, metafile } = await build({
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
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((input) => input.startsWith('node:') || input.includes('node_modules'))).toEqual([]);

    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-bundle-'));
    try {
      const file = join(folder, 'bundle.mjs');
      writeFileSync(file, outputFiles[0].text);
      const bundle = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
        train: () => number[];
        mistake: () => void;
        device: () => string;
      };
      expect(bundle.device()).toBe('wasm'); // which is in the bundle, and needs no other file
      const losses = bundle.train();
      expect(losses.at(-1)).toBeLessThan(losses[0] / 4);
      expect(bundle.mistake).toThrow(/^BatchNorm1d\(2\): 1 value per feature, .* Hint: /);
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
    const others = paths.filter((path) => !/^dist\/(src|kernels)\/.*\.(js|d\.ts)$/.test(path));
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
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
