/**
 * Builds the page: one HTML file with the program, the styles and the worker inside, which makes no request.
 *
 *     tsx examples/explorer/build.ts [folder]
 */
import { bundle } from './bundle.ts';

const { file, gzipped } = await bundle(process.argv[2]);
console.log(`${file}: ${Math.round(gzipped / 1000)} kB gzipped`);
