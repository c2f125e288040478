/**
 * Runs the commands of the experiments from a bundle, which starts in a fifth of the time in which tsx compiles the
 * sources. `ctrl-c.test.ts` and others run them from the sources, as `npm run` does.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';
import { exampleEnvironment, type Output, root } from '../../../tests/run-example.ts';

/** Modules find the files beside them, as from their sources. The lab finds its worker beside its bundle. */
const besideTheSources: Plugin = {
  name: 'beside-the-sources',
  setup: (bundling) => {
    bundling.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
      if (path === join(root, 'examples/experiments/lab/runner.ts')) return undefined;
      const places = { dirname: dirname(path), filename: path, url: pathToFileURL(path).href };
      const contents = Object.entries(places).reduce(
        (text, [name, place]) => text.replaceAll(`import.meta.${name}`, JSON.stringify(place)),
        readFileSync(path, 'utf8'),
      );
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
  },
};

/**
 * Bundles the commands before the tests of the file that calls this.
 *
 * @param files Their names in `examples/experiments`.
 * @returns Runs the first of them, and waits for its end.
 */
export function bundled(...files: readonly string[]): (...args: string[]) => Output {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-commands-'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    await build({
      entryPoints: files.map((file) => join(root, 'examples/experiments', file)),
      outdir: folder,
      entryNames: '[name]',
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      keepNames: true,
      plugins: [besideTheSources],
      // CommonJS packages load the modules of Node with `require`, which ES modules do not have.
      banner: {
        js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
      },
    });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = () => join(folder, basename(files[0]).replace(/\.ts$/, '.js'));
  return (...args) =>
    spawnSync(process.execPath, [program(), ...args], {
      cwd: root,
      encoding: 'utf8',
      env: exampleEnvironment(),
    });
}
