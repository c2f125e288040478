import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Results } from '../../mnist/results.ts';
import { type Running, startNode } from './start.ts';

const root = join(import.meta.dirname, '../../../..');

/** The last line of every interrupted command. */
const interrupted = /^interrupted: .* Hint: .*\n$/;

/** Presses Ctrl-C, and waits until the program has ended. Without Ctrl-C it would run for minutes, or for ever. */
function endingOf(program: Running): Running['ending'] {
  program.interrupt();
  return program.ending;
}

/** A new folder. It is removed after the test. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-ctrl-c-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('Ctrl-C in a download', () => {
  it('ends it at once, and leaves no temporary file', async () => {
    const cwd = temporaryFolder();
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('x'.repeat(500)); // and then nothing more
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // The addresses of the mirrors are constants, so `fetch` is replaced.
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const redirect = `const real = fetch; globalThis.fetch = (_, options) => real('${address}', options);`;
    const preload = `data:text/javascript,${encodeURIComponent(redirect)}`;
    const example = join(root, 'examples/experiments/mnist-batchnorm.ts');
    const program = startNode(['--import', import.meta.resolve('tsx'), '--import', preload, example], {
      cwd,
      env: { GAMMABETA_CACHE: join(cwd, 'cache') },
    });

    await program.prints('Downloading');
    const files = () => readdirSync(join(cwd, 'cache/mnist'));
    expect(files()).toEqual([expect.stringMatching(/^train-images-idx3-ubyte\.gz\..*\.tmp$/)]);
    const { status, stdout, stderr } = await endingOf(program);
    expect(status).toBe(130);
    expect(stdout).toBe('');
    expect(stderr.replace(/^Downloading .*\n/, '')).toMatch(interrupted);
    expect(files()).toEqual([]);
  });
});

describe('Ctrl-C in a training', () => {
  const train = (cwd: string, ...args: string[]) => {
    const example = [
      '--import',
      import.meta.resolve('tsx'),
      join(root, 'examples/experiments/mnist-batchnorm.ts'),
    ];
    const options = ['--offline', '--device', 'wasm', '--nets', 'plain', ...args];
    return startNode([...example, ...options], { cwd, env: { GAMMABETA_CACHE: join(cwd, 'cache') } });
  };

  it('leaves a complete file with the finished runs', { timeout: 60_000 }, async () => {
    const cwd = temporaryFolder();
    const seeds = Array.from({ length: 1000 }, (_, seed) => seed).join();
    const program = train(cwd, '--limit', '640', '--epochs', '1', '--seed', seeds, '--json', 'x.json');
    await program.prints(/seed 2\) +epoch 1/);
    const { status, stdout, stderr } = await endingOf(program);
    expect(status).toBe(130);
    expect(stdout).toMatch(/^On the built-in digits:$/m); // the table of the finished runs
    expect(stderr).toMatch(interrupted);
    expect(readdirSync(cwd)).toContain('x.json');
    expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const { runs } = JSON.parse(readFileSync(join(cwd, 'x.json'), 'utf8')) as Results;
    expect(runs.length).toBeGreaterThanOrEqual(2);
    for (const { history } of runs) expect(history.valAccuracy).toHaveLength(1);
  });

  it('ends the program in the middle of an epoch', { timeout: 60_000 }, async () => {
    const cwd = temporaryFolder();
    const program = train(cwd, '--epochs', '1000');
    await program.prints(/epoch 1\/1000/);
    await sleep(100);
    const { status, stderr } = await endingOf(program);
    expect(status).toBe(130);
    expect(stderr).toMatch(interrupted);
  });
});

describe('a second Ctrl-C', () => {
  const start = async () => {
    const program = startNode(['--import', 'tsx', join(import.meta.dirname, 'deaf-program.ts')], {
      cwd: root,
    });
    await program.prints('begun');
    program.interrupt();
    return program;
  };

  it('ends a program at once that ignores the first one', async () => {
    const program = await start();
    await sleep(400);
    expect(await endingOf(program)).toEqual({ status: 130, stdout: 'begun\n', stderr: '' });
  });

  it('is not the same one, passed on by npm or another runner', async () => {
    const program = await start();
    await sleep(20);
    program.interrupt();
    const ended = program.ending.then(() => true);
    expect(await Promise.race([ended, sleep(300).then(() => false)])).toBe(false);
    expect((await endingOf(program)).status).toBe(130);
  });
});
