/** The rules of the architecture: which files may import which, derived from the import statements. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, files, type Import, imports, reachedFrom, root } from './source-files.ts';

/** The folder that the rules apply to: `src/layers` for `src/layers/dense.ts`, `kernels` for `kernels/simd/matmul.ts`. */
const roomOf = (path: string) =>
  dirname(path)
    .split('/')
    .slice(0, path.startsWith('src/') ? 2 : 1)
    .join('/');

/** The folders that each folder may import, besides itself. */
const allowed: Record<string, readonly string[]> = {
  kernels: [],
  'src/tensor': ['kernels'],
  'src/data': ['kernels', 'src/tensor'],
  'src/layers': ['src/tensor', 'kernels'],
  'src/optim': ['src/tensor', 'kernels'],
  'src/io': ['src/layers', 'src/tensor', 'kernels'],
  'src/training': ['src/io', 'src/layers', 'src/optim', 'src/tensor', 'src/data', 'kernels'],
  src: ['src/training', 'src/io', 'src/layers', 'src/optim', 'src/tensor', 'src/data', 'kernels'],
};

const show = ({ from, to }: Import) => `${from} → ${to}`;
const isFile = ({ to }: Import) => /^(?:kernels|src|examples|bench|test)\//.test(to);
const isLibrary = (file: string) => /^(?:src|kernels)\//.test(file);
const isSimd = (file: string) => /^kernels\/simd\/(?!build\.ts|text\.ts|binaries\.generated)/.test(file);

describe('imports', () => {
  it('are found in the source files', () => {
    expect(imports.length).toBeGreaterThan(900);
    expect(imports.map(show)).toContain('src/layers/dense.ts → src/tensor/fill.ts');
    expect(imports.some(({ typeOnly }) => typeOnly)).toBe(true);
    expect(imports.some(({ dynamic }) => dynamic)).toBe(true);
  });

  it('between folders go in one direction', () => {
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        roomOf(from) in allowed &&
        isFile({ from, to, typeOnly, dynamic: false }) &&
        roomOf(from) !== roomOf(to) &&
        !allowed[roomOf(from)].includes(roomOf(to)),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('of values in src and kernels form no cycle', () => {
    const below = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly && isLibrary(from) && isLibrary(to) && !isSimd(from)) {
        below.set(from, [...(below.get(from) ?? []), to]);
      }
    }
    const finished = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      else if (!finished.has(file)) {
        for (const next of below.get(file) ?? []) visit(next, [...path, file]);
        finished.add(file);
      }
    };
    for (const file of below.keys()) visit(file, []);
    expect(below.size).toBeGreaterThan(60);
    expect(circles).toEqual([]);
  });

  it('of memory.ts are in three files, and in the entry point for scope()', () => {
    const importing = imports.filter(({ to }) => to === 'src/tensor/memory.ts').map(({ from }) => from);
    expect([...new Set(importing)].filter((file) => file.startsWith('src/')).sort()).toEqual([
      'src/index.ts',
      'src/tensor/autodiff.ts',
      'src/tensor/op.ts',
      'src/tensor/user-code.ts',
    ]);
  });

  it('of fuse.ts are in sequential.ts only', () => {
    const importing = imports.filter(
      ({ from, to }) => to === 'src/layers/fuse.ts' && from.startsWith('src/'),
    );
    expect(importing.map(({ from }) => from)).toEqual(['src/layers/sequential.ts']);
  });

  it('in src/data name only the errors and the random numbers of src/tensor', () => {
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        roomOf(from) === 'src/data' &&
        !typeOnly &&
        ['src/tensor', 'kernels'].includes(roomOf(to)) &&
        !['src/tensor/errors.ts', 'src/tensor/random.ts'].includes(to),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('of kernels in src/layers are in files that declare an op', () => {
    const declareOps = ['batchnorm1d', 'layernorm', 'losses', 'fuse'].map((name) => `src/layers/${name}.ts`);
    const helpers = ['kernels/kernel.ts', 'kernels/shape.ts', 'kernels/errors.ts'];
    const wrong = imports.filter(
      ({ from, to }) =>
        roomOf(from) === 'src/layers' &&
        roomOf(to) === 'kernels' &&
        !helpers.includes(to) &&
        !declareOps.includes(from),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('in SIMD forms name only other SIMD forms', () => {
    const wrong = imports.filter(({ from, to }) => isSimd(from) && !/^kernels\/simd\/[\w-]+$/.test(to));
    expect(imports.filter(({ from }) => isSimd(from)).length).toBeGreaterThan(10);
    expect(wrong.map(show)).toEqual([]);
  });

  it('between examples, bench and test do not exist', () => {
    const outer = ['examples', 'bench', 'test'];
    const wrong = imports.filter(
      ({ from, to }) =>
        outer.includes(from.split('/')[0]) &&
        outer.includes(to.split('/')[0]) &&
        from.split('/')[0] !== to.split('/')[0],
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('in examples name only the entry points of the library', () => {
    const entries = ['src/index.ts', 'src/node.ts', 'src/onnx.ts', 'src/networks.ts'];
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('examples/') && isLibrary(to) && !entries.includes(to),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('of node: and of packages for files and downloads are not reachable from the main entry point', () => {
    const reached = reachedFrom(['src/index.ts', 'src/networks.ts']);
    const wrong = imports.filter((each) => reached.has(each.from) && !isFile(each) && each.to !== 'gpu.js');
    expect(reached.size).toBeGreaterThan(60);
    expect(wrong.map(show)).toEqual([]);
  });

  it('of each package are in one file, and of esbuild in what builds', () => {
    const packages = imports.filter(
      (each) => isLibrary(each.from) && !isFile(each) && !each.to.startsWith('node:') && !isSimd(each.from),
    );
    expect([...new Set(packages.map(show))].sort()).toEqual([
      'kernels/gpu/build.ts → esbuild',
      'src/build/command.ts → esbuild',
      'src/build/node-files.ts → esbuild',
      'src/build/packages.ts → esbuild',
      'src/build/page-file.ts → esbuild',
      'src/data/download/cifar10-archive.ts → nanotar',
      'src/data/files/source.ts → env-paths',
      'src/io/onnx/protobuf.ts → pbf',
      'src/tensor/device/gpu/gpu-js.ts → gpu.js',
    ]);
  });
});

describe('names', () => {
  it('of files in different folders of src are different', () => {
    const places = new Map<string, Set<string>>();
    for (const file of files) {
      if (!file.startsWith('src/')) continue;
      places.set(basename(file), (places.get(basename(file)) ?? new Set()).add(dirname(file)));
    }
    const shared = [...places].filter(([, folders]) => folders.size > 1).map(([name]) => name);
    expect(shared).toEqual([]);
  });

  it('of files in one folder of src differ by more than a plural s', () => {
    const folders = new Map<string, string[]>();
    for (const file of files.filter((each) => each.startsWith('src/'))) {
      folders.set(dirname(file), [...(folders.get(dirname(file)) ?? []), file]);
    }
    const similar = [...folders.values()].flatMap((inFolder) => {
      const names = inFolder.map((file) => basename(file, '.ts'));
      return names.filter((name) => names.includes(`${name}s`));
    });
    expect(similar).toEqual(['op']); // op.ts declares an op, and ops.ts contains all ops
  });

  it('of memory management are in no layer, loss, optimizer, metric, training loop or entry point', () => {
    const words =
      /\b(?:isBuiltin|doneWith|handOver|expose|exposed|enclosed|collecting|transient|release|free)\s*\(|static (?:readonly )?builtin/;
    const rooms = files.filter((file) => /^src\/(?:layers|optim|training)\/|^src\/index\.ts/.test(file));
    expect(rooms.length).toBeGreaterThan(30);
    expect(rooms.filter((file) => words.test(codeOf(file)))).toEqual([]);
    const library = files.filter((file) => file.startsWith('src/'));
    const old = /builtin|handOver|doneWith|isBuiltin/;
    expect(library.filter((file) => old.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });

  it('of WebAssembly are in the file that opens the device and the one that a worker thread runs', () => {
    const naming = files.filter((file) => isLibrary(file) && /\bWebAssembly\b/.test(codeOf(file)));
    expect(naming).toEqual([
      'src/tensor/device/wasm/open-wasm.ts',
      'src/tensor/device/wasm/threads/worker.ts',
    ]);
  });

  it('of folders are those of the design', () => {
    for (const room of [
      ...['kernels/fused', 'kernels/simd', 'kernels/gpu', 'src/tensor/device/wasm', 'src/tensor/device/gpu'],
      ...['src/data/digits', 'src/data/files', 'src/data/download', 'src/training/checkpoint'],
      ...[
        'src/training/safety',
        'src/io',
        'bench/cases',
        'bench/gpu',
        'bench/peers',
        'bench/results',
        'test/laws',
      ],
      'examples/experiments',
    ]) {
      expect(existsSync(join(root, room)), room).toBe(true);
    }
  });
});

describe('the network', () => {
  it('is used in one file of the library, which the main entry point does not reach', () => {
    const download = 'src/data/download/download.ts';
    const library = files.filter((file) => isLibrary(file) && !isSimd(file));
    const using = library.filter((file) => /\b(?:fetch\(|XMLHttpRequest|WebSocket)/.test(codeOf(file)));
    expect(using).toEqual([download]);
    const modules = ['node:http', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram'];
    expect(
      imports.filter(({ from, to }) => library.includes(from) && modules.includes(to)).map(show),
    ).toEqual([]);
    expect(reachedFrom(['src/index.ts']).has(download)).toBe(false);
  });
});
