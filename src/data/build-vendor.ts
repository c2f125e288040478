/**
 * Makes `dist/src/data/vendor.js` whole, after tsc: the libraries that `src/data/vendor.ts` imports go into it, and
 * their licenses into `vendor.LICENSES.txt` beside it. The package then needs neither of them to be installed.
 *
 *     tsx src/data/build-vendor.ts [folder that tsc wrote to]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const [, , dist = join(root, 'dist')] = process.argv;
const out = join(dist, 'src/data/vendor.js');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/data/vendor.ts'],
  outfile: out,
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  metafile: true,
});

const packages = new Set(
  Object.keys(metafile.inputs)
    .filter((input) => input.includes('node_modules/'))
    .map((input) => packageOf(dirname(input))),
);
writeFileSync(join(dirname(out), 'vendor.LICENSES.txt'), [...packages].sort().map(license).join('\n'));

/** The nearest folder above with a package.json that has a name: some have others, to say what their files are. */
function packageOf(folder: string): string {
  const file = join(root, folder, 'package.json');
  const named = existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
  return named ? folder : packageOf(dirname(folder));
}

function license(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[sc]e/i.test(entry));
  if (file === undefined) throw new Error(`build-vendor: ${name} has no license file`);
  return `${name} ${version}\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n\n${'-'.repeat(80)}\n`;
}
