/**
 * `npm run smoke`: packs the package, installs the tarball with npm in an empty folder, and runs it in several runtimes,
 * which are downloaded from npm. (The bundlers and the worker in Chromium are in `npm test`.)
 *
 *     npm run smoke -- [runtime, default all: node@20 node@22 node@24 bun@1 deno@2]
 */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from './build.ts';

const run = promisify(execFile);

/** What every runtime does: it trains with batch normalization, saves a checkpoint and predicts from it. */
const program = `
import { rmSync } from 'node:fs';
import { BatchNorm1d, Dense, deviceInfo, fit, manualSeed, predict, ReLU, Sequential, SGD } from 'gammabeta';
import { loadCheckpoint, saveCheckpoint } from 'gammabeta/node';

const net = () => new Sequential(new Dense(2, 16, { bias: false }), new BatchNorm1d(16), new ReLU(), new Dense(16, 2));
manualSeed(1);
const x = Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1);
const xor = { x, shape: [2], labels: Uint8Array.of(0, 1, 1, 0) };
const model = net();
const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
const { loss } = await fit(model, { train: xor, optimizer, epochs: 100 });
await saveCheckpoint('xor.safetensors', { model });
const again = net();
await loadCheckpoint('xor.safetensors', { model: again });
rmSync('xor.safetensors');
const classes = (await predict(again, xor)).argmax(1).toArray();
if (String(classes) !== '0,1,1,0') throw new Error('predicted ' + classes);
const { Bun, Deno } = globalThis;
const runtime = Bun ? 'Bun ' + Bun.version : Deno ? 'Deno ' + Deno.version.deno : 'Node ' + process.versions.node;
console.log([runtime, deviceInfo().device, loss.at(-1).toFixed(6)].join(' | '));
`;

/** How each runtime is started, in the folder in which its package is installed. */
const runtimes: Readonly<Record<string, (folder: string) => [command: string, ...args: string[]]>> = {
  'node@20': (folder) => [binary(folder, 'node')],
  'node@22': (folder) => [binary(folder, 'node')],
  'node@24': (folder) => [binary(folder, 'node')],
  'bun@1': (folder) => [binary(folder, 'bun')],
  'deno@2': (folder) => [binary(folder, 'deno'), 'run', '--allow-all'],
};

const binary = (folder: string, name: string) => join(folder, 'node_modules/.bin', name);

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(runtimes);
const unknown = chosen.filter((name) => !(name in runtimes));
if (unknown.length > 0) {
  throw new Error(
    `smoke: unknown runtime: ${unknown.join(', ')}. Hint: use ${Object.keys(runtimes).join(', ')}`,
  );
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gammabeta-smoke-')));
try {
  const tarball = await pack(folder);
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  const begin = performance.now();
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: app });
  const seconds = (performance.now() - begin) / 1000;
  const { megabytes, packages } = sizeOf(join(app, 'node_modules'));
  console.log(`install: ${packages} packages, ${megabytes.toFixed(1)} MB, ${seconds.toFixed(1)} s`);
  writeFileSync(join(app, 'program.js'), program);

  console.log('\nruntime | device | loss after 100 epochs');
  for (const name of chosen) await smoke(name, app);
} finally {
  rmSync(folder, { recursive: true });
}

/** Installs a runtime and runs the program in it. A runtime that cannot be installed is named and left out. */
async function smoke(name: string, app: string): Promise<void> {
  const home = join(folder, name.replace('@', '-'));
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{ "private": true }');
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', name], { cwd: home });
  } catch (error) {
    console.log(`${name} | not installed: ${(error as Error).message.split('\n')[1] ?? ''}`);
    return;
  }
  const [command, ...args] = runtimes[name](home);
  if (!existsSync(command)) {
    console.log(`${name} | not installed: its package has no binary for this machine`);
    return;
  }
  try {
    const { stdout } = await run(command, [...args, 'program.js'], { cwd: app });
    console.log(stdout.trim());
    if (!name.startsWith('node')) return;
    const gammabeta = join(app, 'node_modules/gammabeta/dist/command/gammabeta.js');
    await run(command, [gammabeta, 'digits', '--seed', '1'], { cwd: app });
  } catch (error) {
    process.exitCode = 1;
    console.log(`${name} | FAILED: ${(error as Error).message}`);
  }
}

/** The size of the files in a folder of packages, and the number of packages. */
function sizeOf(modules: string): { readonly megabytes: number; readonly packages: number } {
  const entries = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = entries.map((entry) => join(entry.parentPath, entry.name));
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const packages = files.filter((file) =>
    /node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file),
  ).length;
  return { megabytes: bytes / 1e6, packages };
}
