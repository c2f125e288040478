/**
 * Makes `dist/src/data/vendor.js` whole, after tsc: the libraries that `src/data/download/vendor.ts` imports go into it, and
 * their licenses into `vendor.LICENSES.txt` beside it. The package then needs neither of them to be installed.
 *
 *     tsx src/data/download/build-vendor.ts [folder that tsc wrote to]
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { licensesIn } from './build-licenses.ts';

const root = join(import.meta.dirname, '../../..');
const [, , dist = join(root, 'dist')] = process.argv;
const out = join(dist, 'src/data/download/vendor.js');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/data/download/vendor.ts'],
  outfile: out,
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  metafile: true,
});
writeFileSync(join(dirname(out), 'vendor.LICENSES.txt'), licensesIn(metafile, root));
