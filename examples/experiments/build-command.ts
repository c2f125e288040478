/**
 * Bundles the command `gammabeta` into `dist/command`, after tsc: the experiments and the packages that only they need,
 * with the licenses of those packages. The library is not bundled: the command imports it from `dist/src`, so that each
 * of its classes exists once.
 *
 *     tsx examples/experiments/build-command.ts [folder that tsc wrote to]
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const [, , dist = join(root, 'dist')] = process.argv;
const out = join(dist, 'command');

/** Imports of the library become imports of `dist`. All files of the bundle are in one folder, so one path fits all. */
const library: Plugin = {
  name: 'library',
  setup: (bundling) => {
    bundling.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => {
      const file = relative(root, join(resolveDir, path)).replaceAll('\\', '/');
      if (!/^(?:src|kernels)\//.test(file)) return undefined;
      return { path: `../${file.replace(/\.ts$/, '.js')}`, external: true };
    });
  },
};

const worker = 'examples/experiments/lab/worker.ts'; // the program of a thread: the lab looks for it in its own folder
rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['examples/experiments/gammabeta.ts', ...(existsSync(join(root, worker)) ? [worker] : [])],
  outdir: out,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [library],
  external: ['gpu.js', 'webgpu'],
  charset: 'utf8',
  minifyWhitespace: true, // names are kept, for the stack traces of bug reports
  minifySyntax: true,
  legalComments: 'none', // LICENSES.txt has them
  // CommonJS packages load the modules of Node with `require`, which ES modules do not have.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  metafile: true,
});
chmodSync(join(out, 'gammabeta.js'), 0o755);
writeFileSync(join(out, 'LICENSES.txt'), licensesIn(metafile));

/** The licenses and notices of all packages of which the bundle contains code. */
function licensesIn({ outputs }: Metafile): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const packages = inputs
    .filter((input) => input.includes('node_modules/'))
    .map((input) => packageOf(join(root, dirname(input))));
  return [...new Set(packages.map(licensesOf))].sort().join('\n');
}

/** The nearest folder above with a package.json that has a version; some folders have one that only sets `type`. */
function packageOf(folder: string): string {
  const file = join(folder, 'package.json');
  const isPackage = existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
  return isPackage ? folder : packageOf(dirname(folder));
}

/** The license files and notices in the folder of a package, with the name of the package. */
function licensesOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[sc]e|notice)/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).includes('node_modules'));
  if (files.length === 0) throw new Error(`the licenses: ${name} has no license file`);
  const texts = files.sort().map((file) => readFileSync(file, 'utf8').trim());
  return `${name} ${version}\n\n${texts.join('\n\n')}\n\n${'-'.repeat(80)}\n`;
}
