import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = ['kernels', 'src', 'examples', 'bench', 'test'].flatMap(
  (folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((file) => !file.startsWith('bench/peers/')), // a program of its own, with packages of its own
);

const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(?<type>type\s)?(?:[^'";]*?\sfrom\s+)?'(?<to>[^']+)'|\bimport\('(?<dynamic>[^']+)'\)/gm,
  );
  return [...statements].map(({ groups }) => {
    const { type, to: target, dynamic } = groups as Record<string, string | undefined>;
    const to = target ?? dynamic ?? '';
    return {
      from,
      to: to.startsWith('.') ? join(dirname(from), to) : to,
      typeOnly: type !== undefined,
    };
  });
});

/** `src/layers/dense.ts` → `src/layers`; `kernels/matmul.ts` → `kernels`; `src/index.ts` → `src`. */
const folderOf = (path: string) =>
  dirname(path)
    .split('/')
    .slice(0, path.startsWith('src/') ? 2 : 1)
    .join('/');

/** What each folder may import, besides itself. */
const allowed: Record<string, readonly string[]> = {
  kernels: [],
  'src/tensor': ['kernels'],
  'src/layers': ['src/tensor', 'kernels'],
  'src/optim': ['src/tensor', 'kernels'],
  'src/data': [],
  'src/training': ['src/layers', 'src/optim', 'src/tensor', 'src/data', 'kernels'],
  src: ['src/training', 'src/layers', 'src/optim', 'src/tensor', 'src/data', 'kernels'],
};

/** What is bundled into this one file, so that nobody has to install it: see `build-vendor.ts` beside it. */
const vendor = 'src/data/download/vendor.ts';

/** How licenses are gathered is the same for all that is bundled. */
const licenses = 'src/data/download/build-licenses.ts';

/** gpu.js has one place; what is bundled has one; what builds is not shipped. */
const isAllowedPackage = (from: string, to: string) =>
  (to === 'gpu.js' && from === 'src/tensor/device/gpu/gpu-js.ts') ||
  (['env-paths', 'tar/extract'].includes(to) && from === vendor) ||
  (to === 'esbuild' &&
    ['kernels/gpu/build.ts', 'src/data/download/build-vendor.ts', licenses].includes(from));

/** That file, and all that it needs. */
function reachedFrom(entry: string): ReadonlySet<string> {
  const reached = new Set([entry]);
  for (const file of reached) {
    for (const { from, to } of imports) if (from === file && to.endsWith('.ts')) reached.add(to);
  }
  return reached;
}

const inside = imports.filter(({ from, to }) => folderOf(from) in allowed && folderOf(to) !== folderOf(from));
const describeImport = ({ from, to }: Import) => `${from} → ${to}`;

describe('imports', () => {
  it('are found', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(
      imports.some(({ from, to }) => from === 'src/layers/dense.ts' && to === 'src/tensor/create.ts'),
    ).toBe(true);
  });

  it('go one way', () => {
    const wrong = inside.filter(
      ({ from, to, typeOnly }) =>
        !to.startsWith('node:') &&
        !allowed[folderOf(from)].includes(folderOf(to)) &&
        !isAllowedPackage(from, to) &&
        !(folderOf(from) === 'src/data' && typeOnly),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('of kernels by layers are those of the files that declare an op', () => {
    const declareOps = ['batchnorm1d', 'batchnorm-dense', 'softmax-cross-entropy'].map(
      (name) => `src/layers/${name}.ts`,
    );
    const helpers = ['kernels/kernel.ts', 'kernels/shape.ts', 'kernels/errors.ts']; // no kernel is in these
    const wrong = imports.filter(
      ({ from, to }) =>
        folderOf(from) === 'src/layers' &&
        folderOf(to) === 'kernels' &&
        !helpers.includes(to) &&
        !declareOps.includes(from),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('of the SIMD forms of kernels are those of other SIMD forms', () => {
    const ofSimd = imports.filter(({ from }) => from.endsWith('.simd.ts'));
    const wrong = ofSimd.filter(({ to }) => !/^kernels\/[\w-]+\.simd$/.test(to));
    expect(ofSimd.length).toBeGreaterThan(10);
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('of examples come from the entry points', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith('examples/') &&
        to.startsWith('src/') &&
        !['src/index.ts', 'src/node.ts'].includes(to) &&
        !(to === licenses && from === 'examples/experiments/build-command.ts'),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('of node: are not reachable from the main entry', () => {
    const reached = reachedFrom('src/index.ts');
    const wrong = imports.filter(({ from, to }) => reached.has(from) && to.startsWith('node:'));
    expect(reached.size).toBeGreaterThan(30);
    expect(imports.some(({ from, to }) => from === 'kernels/simd/build.ts' && to.startsWith('node:'))).toBe(
      true,
    );
    expect(reached.has('kernels/simd/build.ts')).toBe(false);
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('of the file that packages are bundled into are of packages alone: a bundle has copies of what it imports', () => {
    const ofVendor = imports.filter(({ from }) => from === vendor);
    expect(ofVendor.map(({ to }) => to).sort()).toEqual(['env-paths', 'tar/extract']);
    expect(reachedFrom('src/node.ts').has(vendor)).toBe(true);
    expect(reachedFrom('src/index.ts').has(vendor)).toBe(false);
  });

  it('name no package but node: in the library, and gpu.js only in src/tensor/device/gpu/gpu-js.ts', () => {
    const wrong = inside.filter(
      ({ from, to }) =>
        !/^(kernels|src)\//.test(to) && !to.startsWith('node:') && !isAllowedPackage(from, to),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });
});

describe('the name WebAssembly', () => {
  it('stands in src/tensor/device/wasm/open-wasm.ts and nowhere else in the library, comments aside', () => {
    const library = files.filter((file) => /^(src|kernels)\//.test(file));
    const naming = library.filter((file) => /\bWebAssembly\b/.test(codeOf(file)));
    expect(naming).toEqual(['src/tensor/device/wasm/open-wasm.ts']);
  });
});

describe('the network', () => {
  it('is touched in src/data/download/transfer.ts and nowhere else in the library, and never from the main entry', () => {
    // The SIMD forms are AssemblyScript, where a function of its own may have that name.
    const library = files.filter((file) => /^(src|kernels)\//.test(file) && !file.endsWith('.simd.ts'));
    const touching = library.filter((file) => /\b(?:fetch\(|XMLHttpRequest|WebSocket)/.test(codeOf(file)));
    expect(touching).toEqual(['src/data/download/transfer.ts']);
    const modules = ['node:http', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram'];
    const wrong = imports.filter(({ from, to }) => library.includes(from) && modules.includes(to));
    expect(wrong.map(describeImport)).toEqual([]);
    expect(reachedFrom('src/index.ts').has('src/data/download/transfer.ts')).toBe(false);
  });
});

/** A file without its comments, and without what stands in quotes. */
function codeOf(file: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|'(?:[^'\\\n]|\\.)*'/gm, '');
}
