/** Bundles the page into one HTML file with Vite. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { claimCards } from './build-claims.ts';
import { kernelSources } from './build-sources.ts';

const root = join(import.meta.dirname, '../..');

export interface Bundle {
  readonly file: string;
  /** The size in bytes after gzip. */
  readonly gzipped: number;
}

/** Modules whose text is made at build time. */
const made: Readonly<Record<string, () => string>> = {
  'virtual:kernel-sources': () => `export default ${JSON.stringify(kernelSources(root))};`,
  'virtual:claims': () => `export default ${JSON.stringify(claimCards(root))};`,
};

const virtualModules: Plugin = {
  name: 'virtual-modules',
  resolveId: (id) => (id in made ? `\0${id}` : undefined),
  load: (id) => (id.startsWith('\0') && id.slice(1) in made ? made[id.slice(1)]() : undefined),
};

/** The page uses the devices `cpu` and `wasm` only, so the code for GPUs, with gpu.js, is left out. */
const withoutGpu = (): Plugin => ({
  name: 'without-gpu',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('/gpu/open-gpu.ts')
      ? "export const openGpu = () => { throw new Error('this page has no code for GPUs'); };"
      : undefined,
});

/** Writes `explorer.html` into a folder, by default `dist`. */
export async function bundle(folder: string = join(root, 'dist')): Promise<Bundle> {
  const result = await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'warn',
    plugins: [withoutGpu(), virtualModules],
    worker: { plugins: () => [withoutGpu()], rolldownOptions: { output: { keepNames: true } } },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2022',
      cssCodeSplit: false,
      modulePreload: false,
      chunkSizeWarningLimit: 2000,
      rolldownOptions: {
        input: join(import.meta.dirname, 'page/main.tsx'),
        checks: { bundlerTimings: false, pluginTimings: false },
        // Vite's helper for dynamic imports names import.meta; here every import is part of the program.
        onwarn: (warning, warn) => (warning.code === 'EMPTY_IMPORT_META' ? undefined : warn(warning)),
        output: { format: 'iife', codeSplitting: false, keepNames: true },
      },
    },
  });
  if (!('output' in result)) throw new TypeError('explorer: Vite returned no bundle');
  let [program, styles] = ['', ''];
  for (const part of result.output) {
    if (part.type === 'chunk') program += part.code;
    else if (part.fileName.endsWith('.css')) styles += String(part.source);
  }
  const html = document(program.trim(), styles.trim());
  const file = join(folder, 'explorer.html');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, html);
  return { file, gzipped: gzipSync(html, { level: 9 }).length };
}

/** `</script` in a string of the program would end the script. */
function document(program: string, styles: string): string {
  const script = program.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`<\!--`);
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return readFileSync(join(import.meta.dirname, 'page/page.html'), 'utf8')
    .replace('POLICY', () => policy)
    .replace('/* STYLES */', () => styles)
    .replace('/* PROGRAM */', () => script);
}
