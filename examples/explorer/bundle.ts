/** Bundles the page into one HTML file with Vite. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { claimCards } from './build-claims.ts';
import { kernelSources } from './build-sources.ts';
import { intro, title } from './page/intro.ts';

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

/** `wasm` has one thread in a worker, so the code for more is left out. */
const withoutThreads = (): Plugin => ({
  name: 'without-threads',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('/threads/team.ts')
      ? "export const makeTeam = () => { throw new Error('this page has no code for threads'); };"
      : undefined,
});

/** Only the worker computes on `wasm`. */
const withoutWasm: Plugin = {
  name: 'without-wasm',
  enforce: 'pre',
  load: (id) => (id.endsWith('/simd/binaries.generated.ts') ? 'export const binaries = {};' : undefined),
};

/** The file into which Vite writes the licenses of the packages in the bundle. */
const LICENSES = 'licenses.md';

/** Writes `explorer.html` into a folder, by default `dist`. */
export async function bundle(folder: string = join(root, 'dist')): Promise<Bundle> {
  const result = await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'warn',
    plugins: [withoutGpu(), withoutThreads(), withoutWasm, virtualModules],
    worker: {
      plugins: () => [withoutGpu(), withoutThreads()],
      rolldownOptions: { output: { keepNames: true } },
    },
    // The same in tests, where NODE_ENV is 'test'.
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
    build: {
      write: false,
      target: 'es2022',
      cssCodeSplit: false,
      modulePreload: false,
      license: { fileName: LICENSES },
      chunkSizeWarningLimit: 2000,
      rolldownOptions: {
        input: join(import.meta.dirname, 'page/main.tsx'),
        checks: { bundlerTimings: false },
        // Vite's helper for dynamic imports names import.meta; here every import is part of the program.
        onLog: (level, log, handle) => {
          if (log.code !== 'EMPTY_IMPORT_META') handle(level, log);
        },
        output: { format: 'iife', codeSplitting: false, keepNames: true },
      },
    },
  });
  if (!('output' in result)) throw new TypeError('explorer: Vite returned no bundle');
  let [program, styles] = ['', ''];
  let licenses = '';
  for (const part of result.output) {
    if (part.type === 'chunk') program += part.code;
    else if (part.fileName === LICENSES) licenses = String(part.source);
    else if (part.fileName.endsWith('.css')) styles += String(part.source);
  }
  const html = document(program.trim(), styles.trim(), licenses.trim());
  const file = join(folder, 'explorer.html');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, html);
  return { file, gzipped: gzipSync(html, { level: 9 }).length };
}

/** The page: one style sheet and one script, which the policy names by its hash. */
function document(program: string, styles: string, licenses: string): string {
  // `</script` in a string of the program would end the script.
  const script = program.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`<\!--`);
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Batch normalization, forward and backward, in numbers that you can move.">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${styles}</style>
</head>
<body>
<div id="page"><header><h1>${title}</h1><p>${intro}</p></header></div>
<noscript>This page computes its numbers with JavaScript, which is switched off.</noscript>
<script>${script}</script>
<script type="text/plain" id="licenses">
${licenses}
</script>
</body>
</html>
`;
}
