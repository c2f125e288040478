import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../../src/index.ts';
import { type DataOrigin, loadMnist } from '../../../src/node.ts';
import { type DataOptions, dataOptions, type Found, resolveData, type Wanted } from '../cli/data.ts';

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'gammabeta-data-'));
  vi.stubEnv('GAMMABETA_CACHE', cache);
  vi.stubEnv('MNIST_DIR', undefined);
});
afterEach(() => {
  rmSync(cache, { recursive: true });
  vi.unstubAllEnvs();
});

const part = { x: new Uint8Array(784), shape: [784], labels: new Uint8Array([7]) };
const standIn = { name: 'built-in digits', make: () => ({ train: part, test: part }) };

/** A loader that finds the data at `origin`. */
const from =
  (origin: DataOrigin): Wanted['load'] =>
  () =>
    Promise.resolve({ train: part, test: part, origin });

const failing =
  (error: Error): Wanted['load'] =>
  () =>
    Promise.reject(error);

const noMirror = new DataError('loadMnist', 'every mirror answers 503', 'try again');

function resolve(load: Wanted['load'], options: DataOptions = {}, rest: Partial<Wanted> = { standIn }) {
  const wanted = { name: 'MNIST', variable: 'MNIST_DIR', load, ...rest };
  return resolveData(wanted, options, new AbortController().signal);
}

describe('the data of an experiment', () => {
  it.each([
    ['folder', 'Data: MNIST, from /data.'],
    ['cache', 'Data: MNIST, from the cache, /data.'],
    ['download', 'Data: MNIST, downloaded into /data.'],
  ] as const)('from a %s is named in a sentence', async (kind, sentence) => {
    const found = await resolve(from({ kind, path: '/data' }));
    expect(found).toEqual({ train: part, test: part, name: 'MNIST', isStandIn: false, from: kind, sentence });
  });

  it('may be downloaded, except with --offline, and comes from the folder of --data', async () => {
    const load = vi.fn(from({ kind: 'folder', path: '/data' }));
    await resolve(load);
    await resolve(load, { offline: true, data: '/data' });
    expect(load.mock.calls).toMatchObject([[{ download: true }], [{ download: false, dir: '/data' }]]);
    expect(load.mock.calls[0][0]).not.toHaveProperty('dir');
  });

  it('is the stand-in if it can be neither found nor downloaded, and the sentence says why', async () => {
    const expectStandIn = (found: Found, why: string) => {
      expect(found).toMatchObject({
        name: 'built-in digits',
        isStandIn: true,
        from: 'built in',
        train: part,
      });
      expect(found.sentence).toMatch(
        /^Data: built-in digits, NOT MNIST, .* Hint: --data DIR or MNIST_DIR=DIR/,
      );
      expect(found.sentence).toContain(why);
    };
    expectStandIn(await resolve(failing(noMirror)), 'every mirror answers 503');
    expectStandIn(await resolve(loadMnist, { offline: true }), '--offline');
  });

  it('is an error if there is no stand-in', async () => {
    await expect(resolve(failing(noMirror), {}, {})).rejects.toBe(noMirror);
  });

  it('is never the stand-in if a folder was named', async () => {
    await expect(resolve(loadMnist, { data: cache })).rejects.toThrow(`missing in ${cache}`);
    await expect(resolve(loadMnist, { data: '' })).rejects.toThrow('dir is empty');
    vi.stubEnv('MNIST_DIR', `${cache}/no`);
    await expect(resolve(loadMnist)).rejects.toThrow('cannot be read');
  });

  it('is not waited for after Ctrl-C', async () => {
    const interrupt = new AbortController();
    const reason = new Error('interrupted');
    const load: Wanted['load'] = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(reason));
      });
    const wanted = { name: 'MNIST', variable: 'MNIST_DIR', load, standIn };
    const resolving = resolveData(wanted, {}, interrupt.signal);
    interrupt.abort(reason);
    await expect(resolving).rejects.toBe(reason);
  });

  it('does not hide a bug behind the stand-in', async () => {
    await expect(resolve(failing(new TypeError('a bug')))).rejects.toThrow(TypeError);
  });

  it('is chosen with --data and --offline', () => {
    const command = dataOptions(new Command(), 'MNIST', 'MNIST_DIR').exitOverride();
    const given = command.parse(['--data', 'there', '--offline'], { from: 'user' }).opts<DataOptions>();
    expect(given).toEqual({ data: 'there', offline: true });
    expect(command.helpInformation()).toContain('MNIST_DIR');
  });
});
