/** The package as users install it, from the packed tarball; and as pages load it, bundled and minified. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import { inject } from 'vitest';
import webpack from 'webpack';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');

/**
 * Installs the packed tarball in an app in a folder: with the packages that it depends on, and its command where npm puts
 * it.
 *
 * @returns The app's folder.
 */
export function installPacked(folder: string): string {
  const app = join(folder, 'app');
  const installed = join(app, 'node_modules/gammabeta');
  mkdirSync(join(app, 'node_modules/.bin'), { recursive: true });
  mkdirSync(installed);
  execFileSync('tar', ['-xzf', inject('tarball'), '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(packageJson.dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }
  symlinkSync('../gammabeta/dist/command/gammabeta.js', join(app, 'node_modules/.bin/gammabeta'));
  return app;
}

/** Bundles and minifies a program of the app. The entry of the bundle is `program.js`. */
export type Bundler = (app: string, program: string, outdir: string) => Promise<void>;

export const bundlers: Readonly<Record<'esbuild' | 'vite' | 'webpack' | 'no bundler', Bundler>> = {
  esbuild: async (app, program, outdir) => {
    writeFileSync(join(app, 'program.js'), program);
    await bundle({ entryPoints: [join(app, 'program.js')], outdir });
  },
  vite: async (app, program, outdir) => {
    writeFileSync(join(app, 'program.js'), program);
    await vite.build({
      root: app,
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: outdir,
        emptyOutDir: false,
        rolldownOptions: {
          input: join(app, 'program.js'),
          output: { entryFileNames: '[name].js' },
        },
      },
    });
  },
  webpack: async (app, program, outdir) => {
    writeFileSync(join(app, 'program.js'), program);
    const compiler = webpack({
      context: app,
      mode: 'production',
      target: 'web',
      entry: './program.js',
      output: { path: outdir, filename: 'program.js', publicPath: './', module: true },
      experiments: { outputModule: true },
      performance: false,
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
    const problems = [...errors, ...warnings].map(({ message }) => message);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  },
  /** The page loads the file of the package that is made for this. */
  'no bundler': async (app, program, outdir) => {
    await mkdir(outdir);
    const dist = join(app, 'node_modules/gammabeta/dist');
    for (const file of ['gammabeta.min.js', 'gpu.js']) await copyFile(join(dist, file), join(outdir, file));
    await writeFile(
      join(outdir, 'program.js'),
      program.replace("from 'gammabeta'", "from './gammabeta.min.js'"),
    );
  },
};

/** Bundles for a page with esbuild: one file for what is imported at once, others for what is imported later. */
export function bundle(
  options: esbuild.BuildOptions & { readonly outdir: string },
): Promise<esbuild.BuildResult & { readonly metafile: Metafile }> {
  return esbuild.build({
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    ...options,
  }) as Promise<esbuild.BuildResult & { readonly metafile: Metafile }>;
}

/** The files that a program loads before it runs: its entry, and the files that it imports statically. */
export function loadedAtOnce({ outputs }: Metafile): string[] {
  const entry = Object.keys(outputs).find(
    (path) => outputs[path].entryPoint !== undefined && !path.includes('chunk'),
  );
  if (entry === undefined) throw new Error('the bundle has no entry');
  const loaded = new Set([entry]);
  for (const path of loaded) {
    for (const { path: to, kind, external } of outputs[path].imports) {
      if (kind === 'import-statement' && external !== true) loaded.add(to);
    }
  }
  return [...loaded];
}
