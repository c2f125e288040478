import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Results } from '../../mnist/results.ts';
import { folder } from '../../../../test/data/helpers.ts';
import { holding, mirror, well } from '../../../../test/data/download/server.ts';
import { firstFile, served } from '../../../../test/data/files/small-files.ts';
import { type Running, startNode } from './start.ts';

const root = join(import.meta.dirname, '../../../..');

/** The line that every command ends with. */
const interrupted = /^interrupted: .* Hint: .*\n$/;

/** What it ends with, which has to be soon. */
async function endingOf(program: Running) {
  const start = performance.now();
  program.interrupt();
  const ending = await program.ending;
  expect(performance.now() - start).toBeLessThan(2000);
  return ending;
}

describe('Ctrl-C in a download', () => {
  it('ends it at once, and says that the next one goes on, which it does', async () => {
    const cache = await folder({});
    const server = await mirror(served, holding, well);
    const program = () => {
      const file = join(import.meta.dirname, 'small-mnist-program.ts');
      return startNode(['--import', 'tsx', file, server.url], { cwd: root, env: { GAMMABETA_CACHE: cache } });
    };
    const half = Math.floor((served.get(firstFile)?.length ?? 0) / 2);
    const part = join(cache, 'mnist', `${firstFile}.part`);

    const first = program();
    await first.prints('Downloading');
    await expect.poll(() => statSync(part, { throwIfNoEntry: false })?.size).toBe(half);
    const { status, stdout, stderr } = await endingOf(first);
    expect(status).toBe(130);
    expect(stdout).toBe('');
    expect(stderr.replace(/^Downloading .*\n/, '')).toMatch(interrupted);
    expect(stderr).toContain('what was downloaded is kept');
    expect(readdirSync(cache)).toEqual(['mnist']); // no lock
    expect(readdirSync(join(cache, 'mnist')).sort()).toEqual([`${firstFile}.part`, `${firstFile}.part.json`]);

    const second = await program().ending;
    expect(second).toMatchObject({ status: 0, stdout: `Data: MNIST, downloaded into ${cache}/mnist.\n` });
    expect(server.requests.slice(0, 2)).toEqual([firstFile, `${firstFile} from ${half}`]);
    expect(readdirSync(join(cache, 'mnist')).sort()).toEqual([...served.keys()].sort());
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

  it('leaves the finished runs in a file that is whole', { timeout: 60_000 }, async () => {
    const cwd = await folder({});
    const seeds = Array.from({ length: 1000 }, (_, seed) => seed).join();
    const program = train(cwd, '--limit', '640', '--epochs', '1', '--seed', seeds, '--json', 'x.json');
    await program.prints(/seed 2\) +epoch 1/);
    const { status, stdout, stderr } = await endingOf(program);
    expect(status).toBe(130);
    expect(stdout).toMatch(/^On the built-in digits:$/m); // the table of the runs that there are
    expect(stderr).toMatch(interrupted);
    expect(readdirSync(cwd)).toContain('x.json');
    expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const { runs } = JSON.parse(readFileSync(join(cwd, 'x.json'), 'utf8')) as Results;
    expect(runs.length).toBeGreaterThanOrEqual(2);
    for (const { history } of runs) expect(history.valAccuracy).toHaveLength(1);
  });

  it('is heard in the middle of an epoch', { timeout: 60_000 }, async () => {
    const cwd = await folder({});
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

  it('ends at once what does not heed the first', async () => {
    const program = await start();
    await sleep(400);
    expect(await endingOf(program)).toEqual({ status: 130, stdout: 'begun\n', stderr: '' });
  });

  it('is not the first one, passed on by npm or another runner', async () => {
    const program = await start();
    await sleep(20);
    program.interrupt();
    const ended = program.ending.then(() => true);
    expect(await Promise.race([ended, sleep(300).then(() => false)])).toBe(false);
    expect((await endingOf(program)).status).toBe(130);
  });
});
