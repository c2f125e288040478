/** The command `gammabeta` of the packed package, installed in an app. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { installPacked } from './bundles.ts';
import { mirror, well } from '../data/download/server.ts';

let folder = '';
let app = '';
let command = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gammabeta-command-')));
  app = installPacked(folder);
  command = join('node_modules/gammabeta/dist/command/gammabeta.js');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment of this process, without any data. */
const environment = (cache: string) => ({
  ...process.env,
  GAMMABETA_CACHE: cache,
  XDG_CACHE_HOME: join(folder, 'xdg'),
  MNIST_DIR: undefined,
  CIFAR10_DIR: undefined,
});

function run(program: string, ...args: string[]) {
  return spawnSync(program, args, {
    cwd: app,
    encoding: 'utf8',
    env: environment(join(folder, 'no-data')),
  });
}
const gammabeta = (...args: string[]) => run(process.execPath, command, ...args);

describe('the packed gammabeta', () => {
  it('lists the experiments, and has a help text for each', () => {
    const help = gammabeta('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: gammabeta /);
    for (const name of ['mnist', 'cifar10', 'lab', 'digits', 'export', 'explore']) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      const { status, stdout } = gammabeta(name, '--help');
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: gammabeta ${name} \\[options\\]`));
    }
    expect(gammabeta()).toMatchObject({ status: 0, stdout: help.stdout });
  });

  it.each([
    [['foo'], /^error: unknown command 'foo'\nHint: gammabeta --help lists the commands\n$/],
    [['mnits'], /^error: unknown command 'mnits'\n\(Did you mean mnist\?\)\n/],
    [['--foo'], /^error: unknown option '--foo'\n/],
    [['mnist', '--ofline'], /^error: unknown option '--ofline'\n\(Did you mean --offline\?\)\n$/],
    [['digits', '--seed', 'x'], /expected an integer ≥ 0/],
    [['export', '--net', 'cnn', '--to', 'x'], /'cnn' is not one of plain, bn, bn-pre/],
    [['export'], /^error: required option '--to <dir>' not specified\n/],
    [
      ['export', '--to', 'node_modules/gammabeta/package.json'],
      /^exportPyTorch: .* is not a folder\. Hint: /,
    ],
    [['digits', '--png', 'no/x.png'], /^digits: cannot write into the folder of no\/x\.png\. Hint: /],
    [
      ['digits', '--png', '.'],
      /^write: \. cannot be written: .*\. Hint: free disk space, or choose another path\n$/,
    ],
  ])('%j is an error with a hint', (args, message) => {
    const { status, stderr } = gammabeta(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  });

  it('is found by npx and by its name, and prints its version', () => {
    const version = { status: 0, stdout: `${packageJson.version}\n` };
    expect(gammabeta('--version')).toMatchObject(version);
    expect(run('node_modules/.bin/gammabeta', '--version')).toMatchObject(version);
    expect(run('npx', '--no-install', 'gammabeta', '--version')).toMatchObject(version);
  });

  it('trains on the built-in digits if there is no other data', { timeout: 60_000 }, () => {
    const args = ['--offline', '--limit', '640', '--epochs', '1', '--nets', 'bn', '--device', 'wasm'];
    const { status, stdout, stderr } = gammabeta('mnist', ...args);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Data: the built-in digits, NOT MNIST, which is not available: /);
    expect(stdout).toMatch(/^bn {2}epoch 1\/1 {2}loss \d/m);
    expect(status).toBe(0);
  });

  it('exports a network to PyTorch', () => {
    const { status, stdout, stderr } = gammabeta('export', '--net', 'bn', '--to', 'for-pytorch');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^The network bn is in for-pytorch\. /);
    expect(readdirSync(join(app, 'for-pytorch'))).toContain('weights.safetensors');
    expect(readFileSync(join(app, 'for-pytorch/train.py'), 'utf8')).toContain('DistributedDataParallel');
    expect(gammabeta('export', '--to', 'for-pytorch').stderr).toMatch(
      /^exportPyTorch: the folder for-pytorch is not empty/,
    );
  });

  it('draws the built-in digits, in the terminal and as a PNG file', () => {
    const { status, stdout } = gammabeta('digits', '--png', 'seven.png', '--seed', '7');
    expect(status).toBe(0);
    expect(stdout).toMatch(/[▀▄█]{3}/);
    const lines = stdout.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toBe('seven.png');
    const png = readFileSync(join(app, 'seven.png'));
    expect(decode(png)).toMatchObject({ width: 1204, height: 604, channels: 1 });
    gammabeta('digits');
    expect(existsSync(join(app, 'digits.png'))).toBe(true);
    expect(readFileSync(join(app, 'digits.png')).equals(png)).toBe(false);
    expect(readdirSync(app).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('imports only packages that the package depends on', async () => {
    const home = join(app, command, '..');
    const files = readdirSync(home).filter((file) => file.endsWith('.js'));
    const { metafile } = await build({
      entryPoints: files.map((file) => join(home, file)),
      bundle: true,
      splitting: true,
      write: false,
      outdir: folder,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      metafile: true,
    });
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external === true).map(({ path }) => path),
    );
    const packages = imported.filter((path) => !isBuiltin(path));
    expect([...new Set(packages)].sort()).toEqual(Object.keys(packageJson.dependencies));

    // `require` has another name in a minified file.
    const called = files.flatMap((file) =>
      [...readFileSync(join(home, file), 'utf8').matchAll(/\w\(["'`]([^"'`]+)["'`]\)/g)].map(
        ([, text]) => text,
      ),
    );
    expect(called).toContain('node:events'); // by commander
    const others = Object.keys(packageJson.devDependencies);
    expect(called.filter((text) => others.some((name) => `${text}/`.startsWith(`${name}/`)))).toEqual([]);
  });

  it('contains the license of every bundled package', () => {
    const licenses = readFileSync(join(app, command, '../LICENSES.txt'), 'utf8');
    for (const name of [
      'commander',
      'cli-progress',
      'cli-table3',
      '@colors/colors',
      'fast-png',
      'workerpool',
      'echarts',
    ]) {
      expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\n\n`, 'm'));
    }
    expect(licenses).toContain('This product includes software developed at\nThe Apache Software Foundation'); // NOTICE
    expect(licenses).not.toMatch(/^(?:gpu\.js|webgpu|nanotar) /m); // not in this folder
  });
});

describe('the packed gammabeta/node', () => {
  it('uses the cache folder of the platform', () => {
    const script = `import { loadMnist } from 'gammabeta/node';
      delete process.env.GAMMABETA_CACHE;
      await loadMnist().catch((error) => console.log(error.message));`;
    const { stdout } = run(process.execPath, '--input-type=module', '--eval', script);
    expect(stdout).toMatch(/^loadMnist: .* Hint: /);
    if (process.platform === 'linux') expect(stdout).toContain(join(folder, 'xdg/gammabeta/mnist'));
  });
});

/** The folder with the complete MNIST, if this machine has it. */
const mnist = [process.env.MNIST_DIR, join(import.meta.dirname, '../../../shared/data/mnist')].find(
  (dir) => dir && existsSync(dir),
);

it.skipIf(mnist === undefined)('the packed gammabeta downloads MNIST', { timeout: 60_000 }, async () => {
  const dir = mnist ?? '';
  const files = new Map(
    readdirSync(dir).map((name) => [name, new Uint8Array(readFileSync(join(dir, name)))]),
  );
  const server = await mirror(files, well);
  // The addresses of the mirrors are constants, so `fetch` is replaced.
  const redirect = `const real = fetch;
    globalThis.fetch = (url, options) => real(String(url).replace(/^https:.*\\//, '${server.url}'), options);`;
  const preload = `data:text/javascript,${encodeURIComponent(redirect)}`;
  const options = ['--limit', '640', '--epochs', '1', '--nets', 'plain', '--device', 'wasm'];
  const cache = join(folder, 'cache');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', preload, command, 'mnist', ...options],
    { cwd: app, env: environment(cache) },
  );
  expect(stderr).toMatch(/^Downloading train-images-idx3-ubyte\.gz from storage\.googleapis\.com$/m);
  expect(stdout).toContain(`Data: MNIST, downloaded into ${join(cache, 'mnist')}.`);
  expect(readdirSync(join(cache, 'mnist'))).toHaveLength(4);
});
