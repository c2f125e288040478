/** Bundles scripts for a page. */
import { build } from 'esbuild';

/** The files of a page by their paths, which begin with `/`. */
export type PageFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Bundles each script as `/name.js`. Code that several scripts use, and code that is loaded only when it is needed, is in
 * files of its own. A script that imports a `.wasm` file gets its path.
 *
 * @param scripts The paths of the scripts by their names.
 */
export async function bundleForPage(scripts: Readonly<Record<string, string>>): Promise<PageFiles> {
  const outdir = '/out';
  const { outputFiles } = await build({
    entryPoints: scripts,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    loader: { '.wasm': 'file' },
    publicPath: '/',
    logLevel: 'error',
    write: false,
    outdir,
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [path.slice(path.indexOf(outdir) + outdir.length), contents]),
  );
}
