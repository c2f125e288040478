/**
 * Builds the page: one HTML file with the program, the styles and the workers inside, which makes no request.
 *
 *     tsx examples/explorer/build.ts [folder]
 */
import { pathToFileURL } from 'node:url';
import { bundle } from './bundle.ts';

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { file, gzipped } = await bundle(process.argv[2]);
  console.log(`${file}: ${(gzipped / 1000).toFixed(0)} kB gzipped`);
}
