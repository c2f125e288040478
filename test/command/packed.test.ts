/** The command of the packed package, installed in an app whose only other package is gpu.js. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { installPacked } from '../bundles.ts';
import { holding, mirror, well } from '../data/download/server.ts';
import { environment, startNode } from './start.ts';

const root = join(import.meta.dirname, '../..');
const mnistDir = process.env.MNIST_DIR ?? join(root, '../shared/data/mnist');
const hasMnist = existsSync(mnistDir);

let folder = '';
let app = '';
let command = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gammabeta-command-')));
  app = installPacked(folder);
  command = join('node_modules/gammabeta/dist/command/gammabeta.js');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, ...args: string[]) {
  const env = environment({ GAMMABETA_CACHE: join(folder, 'no-data'), XDG_CACHE_HOME: join(folder, 'xdg') });
  return spawnSync(program, args, { cwd: app, encoding: 'utf8', env });
}
const gammabeta = (...args: string[]) => run(process.execPath, command, ...args);

describe('the packed gammabeta', () => {
  it('lists the experiments, and has a help page for each', () => {
    const help = gammabeta('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: gammabeta /);
    for (const name of ['mnist', 'cifar10', 'lab', 'digits']) {
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

  it('can be run with npx and by its name, and prints its version', () => {
    const version = { status: 0, stdout: `${packageJson.version}\n` };
    expect(gammabeta('--version')).toMatchObject(version);
    expect(run('node_modules/.bin/gammabeta', '--version')).toMatchObject(version);
    expect(run('npx', '--no-install', 'gammabeta', '--version')).toMatchObject(version);
  });

  it('trains on the built-in digits if there is no other data', () => {
    const args = ['--offline', '--limit', '640', '--epochs', '1', '--device', 'wasm'];
    const { status, stdout, stderr } = gammabeta('mnist', ...args);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Data: the built-in digits, NOT MNIST, /);
    expect(stdout).toMatch(/^bn {2}epoch 1\/1 {2}loss \d/m);
    expect(status).toBe(0);
  });

  it('draws the built-in digits, in the terminal and in a picture', () => {
    const { status, stdout } = gammabeta('digits', '--png', 'seven.png', '--seed', '7');
    expect(status).toBe(0);
    expect(stdout).toMatch(/[▀▄█]{3}/);
    const lines = stdout.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toBe('seven.png');
    const committed = readFileSync(join(root, 'examples/experiments/results/digits.png')); // of seed 1
    expect(readFileSync(join(app, 'seven.png')).equals(committed)).toBe(false);
    gammabeta('digits');
    expect(readFileSync(join(app, 'digits.png')).equals(committed)).toBe(true);
    expect(readdirSync(app).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('needs no package but gpu.js', async () => {
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
    const required = files.flatMap((file) =>
      [...readFileSync(join(home, file), 'utf8').matchAll(/(?<!create)require\w*\(["'`]([^"'`]+)/gi)].map(
        ([, path]) => path,
      ),
    );
    expect(required).toContain('node:events'); // by commander
    const packages = [...imported, ...required].filter((path) => !isBuiltin(path));
    expect([...new Set(packages)]).toEqual(['gpu.js']);
  });

  it('includes the license of every bundled package', () => {
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
    expect(licenses).not.toMatch(/^(?:gpu\.js|webgpu) /m); // not bundled
  });
});

describe('the packed gammabeta/node', () => {
  it('names the cache folder', () => {
    const script = `import { loadMnist } from 'gammabeta/node';
      delete process.env.GAMMABETA_CACHE;
      await loadMnist().catch((error) => console.log(error.message));`;
    const { stdout } = run(process.execPath, '--input-type=module', '--eval', script);
    expect(stdout).toMatch(/^loadMnist: .* Hint: /);
    if (process.platform === 'linux') expect(stdout).toContain(join(folder, 'xdg/gammabeta/mnist'));
  });
});

describe.skipIf(!hasMnist)('a download of the packed gammabeta', () => {
  it('ends with Ctrl-C, and the next one goes on', { timeout: 60_000 }, async () => {
    const files = new Map(
      readdirSync(mnistDir).map((name) => [name, new Uint8Array(readFileSync(join(mnistDir, name)))]),
    );
    const [images] = [...files.keys()].filter((name) => name.startsWith('train-images'));
    const half = Math.floor((files.get(images)?.length ?? 0) / 2);
    const server = await mirror(files, holding, well);
    // The addresses of the mirrors are constants, and they may be out of reach: what is asked of them goes here.
    const redirect = `const real = fetch;
      globalThis.fetch = (url, options) => real(String(url).replace(/^https:.*\\//, '${server.url}'), options);`;
    const cwd = join(folder, 'download');
    mkdirSync(cwd);
    const start = () => {
      const preload = `data:text/javascript,${encodeURIComponent(redirect)}`;
      const options = ['--limit', '640', '--epochs', '1', '--nets', 'plain', '--device', 'wasm'];
      const program = join(app, command);
      return startNode(['--import', preload, program, 'mnist', ...options], {
        cwd,
        env: { GAMMABETA_CACHE: join(cwd, 'cache') },
      });
    };

    const first = start();
    await first.prints(`Downloading ${images}`);
    const part = join(cwd, 'cache/mnist', `${images}.part`);
    await expect.poll(() => statSync(part, { throwIfNoEntry: false })?.size).toBe(half);
    const pressed = performance.now();
    first.interrupt();
    const { status, stdout, stderr } = await first.ending;
    expect(performance.now() - pressed).toBeLessThan(2000);
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    expect(stderr).toMatch(/^Downloading .*\ninterrupted: .*what was downloaded is kept\. Hint: .*\n$/);
    expect(readdirSync(join(cwd, 'cache'))).toEqual(['mnist']);

    const second = await start().ending;
    expect(second.status).toBe(0);
    expect(second.stdout).toContain(`Data: MNIST, downloaded into ${join(cwd, 'cache/mnist')}.`);
    expect(server.requests.slice(0, 2)).toEqual([images, `${images} from ${half}`]);
  });
});
