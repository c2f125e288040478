/**
 * Bundles packages that users of the library need not install. Installed from the registry, gpu.js brings 200 MB of
 * binaries for Node that the library does not use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licensesOfFiles } from './licenses.ts';

const root = join(import.meta.dirname, '../..');

interface Bundled {
  /** The name of the package. */
  readonly name: string;
  /** A module that exports what the library uses of it. */
  readonly contents: string;
  /** The compiled module that imports it. */
  readonly importer: string;
  /** The file in `dist` that it becomes. */
  readonly file: string;
}

export const bundled: readonly Bundled[] = [
  {
    name: 'gpu.js',
    contents: "export { default } from 'gpu.js/src/index.js';",
    importer: 'src/tensor/device/gpu/gpu-js.js',
    file: 'gpu.js',
  },
  {
    name: 'pbf',
    contents: "export { PbfWriter } from 'pbf';",
    importer: 'src/io/onnx/protobuf.js',
    file: 'pbf.js',
  },
];

/**
 * What gpu.js requires in Node. `gl` is WebGL without a browser, which the library does not offer: gpu.js takes the error
 * as "not installed". The built-in modules are asked for at run time, since browsers and bundlers do not have them.
 */
const inNode: Plugin = {
  name: 'in-node',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^(?:gl|os|worker_threads)$/ }, ({ path }) => ({
      path,
      namespace: 'in-node',
    }));
    bundling.onLoad({ filter: /.*/, namespace: 'in-node' }, ({ path }) => ({
      contents:
        path === 'gl'
          ? "throw new Error('gl is not part of the package');"
          : `module.exports = globalThis.process?.getBuiltinModule?.('${path}') ?? {};`,
    }));
  },
};

/** Writes each package into `dist` as one file, which begins with the licenses of what it contains. */
export async function bundlePackages(dist: string): Promise<void> {
  await Promise.all(bundled.map((each) => bundlePackage(each, dist)));
}

async function bundlePackage({ contents, file }: Bundled, dist: string): Promise<void> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    plugins: [inNode],
    minify: true,
    legalComments: 'none', // the banner has them
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs).filter((input) => !input.startsWith('in-node:'));
  const licenses = licensesOfFiles(inputs.map((input) => join(root, input)));
  const banner = `/*! This file contains code of these packages.\n\n${licenses}*/\n`;
  writeFileSync(join(dist, file), banner + outputFiles[0].text);
}

/**
 * Changes the imports of the packages in the compiled modules into imports of the files in `dist`.
 *
 * @param modules The folder of the compiled modules.
 */
export function importBundledPackages(modules: string, dist: string): void {
  for (const { name, importer, file } of bundled) {
    const path = join(modules, importer);
    const parts = readFileSync(path, 'utf8').split(`'${name}'`);
    if (parts.length !== 2)
      throw new Error(`${importer} imports ${name} ${parts.length - 1} times, not once`);
    const specifier = relative(dirname(path), join(dist, file)).replaceAll('\\', '/');
    writeFileSync(path, parts.join(`'${specifier}'`));
  }
}

/** Leaves the files of the packages out of a bundle, which imports them from the folder `from`. */
export const packagesBeside = (from: './' | '../'): Plugin => ({
  name: 'packages-beside',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^\.\.\/.*\.js$/ }, ({ path }) => {
      const beside = bundled.find(({ file }) => path.endsWith(`/${file}`));
      return beside && { path: `${from}${beside.file}`, external: true };
    });
  },
});
