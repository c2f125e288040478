/** Bundles of the package: their warnings, their sizes, and that they work without a browser. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rollup } from 'rollup';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle, installPacked, loadedAtOnce } from './bundles.ts';

let folder = '';
let app = '';
let dist = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-bundlers-'));
  app = installPacked(folder);
  dist = join(app, 'node_modules/gammabeta/dist');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('Rollup has nothing to say: no circular import, no rewritten this', async () => {
  const logs: string[] = [];
  const packages = Object.keys(
    (JSON.parse(readFileSync(join(dist, '../package.json'), 'utf8')) as { dependencies: object })
      .dependencies,
  );
  const built = await rollup({
    input: ['index', 'node', 'networks'].map((name) => join(dist, `modules/src/${name}.js`)),
    external: (id) => isBuiltin(id) || packages.includes(id),
    onLog: (_level, { message }) => logs.push(message),
  });
  const { output } = await built.generate({ format: 'es' });
  await built.close();
  expect(output.length).toBeGreaterThan(4); // three entries, and at least the GPU's and gpu.js' chunks
  expect(logs).toEqual([]);
});

it('esbuild makes a program without node: and without gpu.js at once, which works minified', async () => {
  const { metafile } = await bundle({
    stdin: {
      contents: `
        import { BatchNorm1d, deviceInfo, fit, manualSeed, Dense, ReLU, Sequential, SGD, tensor } from 'gammabeta';
        export async function train() {
          manualSeed(1);
          const model = new Sequential(new Dense(2, 16, { bias: false }), new BatchNorm1d(16), new ReLU(), new Dense(16, 2));
          const xor = { x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), shape: [2], labels: Uint8Array.of(0, 1, 1, 0) };
          const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
          const { accuracy } = await fit(model, { train: xor, optimizer, epochs: 100 });
          return { accuracy: accuracy.at(-1), device: deviceInfo().device };
        }
        export const mistake = () => new BatchNorm1d(2).forward(tensor([[1, 2]]));`,
      resolveDir: app,
    },
    outdir: join(folder, 'esbuild'),
    outExtension: { '.js': '.mjs' },
    absWorkingDir: folder,
  });
  const atOnce = loadedAtOnce(metafile).flatMap((path) => Object.keys(metafile.outputs[path].inputs));
  expect(atOnce.filter((input) => input.endsWith('dist/gpu.js'))).toEqual([]);
  expect(Object.keys(metafile.inputs).some((input) => input.endsWith('dist/gpu.js'))).toBe(true);
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported.filter((path) => isBuiltin(path))).toEqual([]);

  const file = pathToFileURL(join(folder, 'esbuild/stdin.mjs')).href;
  const program = (await import(/* @vite-ignore */ file)) as { train: () => unknown; mistake: () => void };
  expect(await program.train()).toEqual({ accuracy: 1, device: 'wasm' }); // the binary is in the bundle
  expect(program.mistake).toThrow(/^BatchNorm1d\(2\): 1 value per feature, .* Hint: /);
});

it('gammabeta.min.js exports what the main entry does, in less than 113 kB compressed, gpu.js aside', async () => {
  const text = readFileSync(join(dist, 'gammabeta.min.js'));
  const size = gzipSync(text, { level: 9 }).length;
  const gpuJs = gzipSync(readFileSync(join(dist, 'gpu.js')), { level: 9 }).length;
  console.log(`gammabeta.min.js: ${kB(size)} compressed; gpu.js, loaded for a GPU: ${kB(gpuJs)}`);
  expect(size).toBeLessThan(113_000);
  expect(readFileSync(join(dist, '../README.md'), 'utf8')).toContain('less than 113 kB compressed');
  const imported = String(text).match(/\bimport\("[^"]*"\)|\bfrom"[^"]*"/g);
  expect(imported).toEqual(['import("./gpu.js")']);
  const names = async (file: string) =>
    Object.keys((await import(/* @vite-ignore */ pathToFileURL(join(dist, file)).href)) as object).sort();
  expect(await names('gammabeta.min.js')).toEqual(await names('src/index.js'));
});

const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
