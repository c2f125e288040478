import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from '../../../src/index.ts';
import type { DataOrigin, DownloadProgress } from '../../../src/node.ts';
import { type DataOptions, dataOptions, resolveData, type Wanted } from '../cli/data.ts';

let printed: string[] = [];
beforeEach(() => {
  vi.stubEnv('MNIST_DIR', undefined);
  printed = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => printed.push(line));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const part = { x: new Uint8Array(784), shape: [784], labels: new Uint8Array([7]) };
const parts = { train: part, test: part };
const standIn = { name: 'built-in digits', make: () => parts };
const refused = new DataError('loadMnist', 'a mirror: it answers 503', 'try again');

/** A function in place of `loadMnist`, and the options that it was called with. */
const finding = (origin: DataOrigin) => vi.fn<Wanted['load']>(() => Promise.resolve({ ...parts, origin }));
const failing = (error: Error) => vi.fn<Wanted['load']>(() => Promise.reject(error));

const want = (load: Wanted['load'], options: DataOptions = {}, more: Partial<Wanted> = { standIn }) =>
  resolveData({ name: 'MNIST', variable: 'MNIST_DIR', load, ...more }, options, new AbortController().signal);

describe('the data of an experiment', () => {
  it.each([
    ['folder', 'Data: MNIST, from there.'],
    ['cache', 'Data: MNIST, from the cache, there.'],
    ['download', 'Data: MNIST, downloaded into there.'],
  ] as const)('is described by a sentence: %s', async (kind, sentence) => {
    const found = await want(finding({ kind, path: 'there' }));
    expect(found).toMatchObject({ ...parts, name: 'MNIST', isStandIn: false, from: kind, sentence });
  });

  it('is read from the folder of --data, and downloaded only without --offline', async () => {
    const load = finding({ kind: 'folder', path: 'there' });
    await want(load, { data: 'there' });
    expect(load.mock.lastCall?.[0]).toMatchObject({ dir: 'there', download: true });
    await want(load, { offline: true });
    expect(load.mock.lastCall?.[0]).toMatchObject({ download: false });
    expect(load.mock.lastCall?.[0]).not.toHaveProperty('dir');
  });

  it('is downloaded with a line for each file, on stderr', async () => {
    const progress = (file: string, received: number): DownloadProgress => {
      return { state: 'receiving', file, url: `https://example.org/${file}`, received, total: 9 };
    };
    await want(({ onProgress }) => {
      for (const file of ['a.gz', 'b.gz'])
        for (const received of [0, 5, 9]) onProgress(progress(file, received));
      onProgress({ ...progress('b.gz', 9), state: 'unpacking' });
      return Promise.resolve({ ...parts, origin: { kind: 'download', path: 'there' } });
    });
    expect(printed).toEqual([
      'Downloading a.gz from example.org',
      'Downloading b.gz from example.org',
      'Unpacking b.gz',
    ]);
  });

  it('is the stand-in if it is not available, with the reason', async () => {
    const found = await want(failing(refused));
    expect(found).toMatchObject({ ...parts, name: 'built-in digits', isStandIn: true, from: 'built in' });
    expect(found.sentence).toBe(
      'Data: built-in digits, NOT MNIST, which is not available: a mirror: it answers 503. ' +
        'Hint: --data DIR or MNIST_DIR=DIR names a folder with MNIST.',
    );
    expect((await want(failing(refused), { offline: true })).sentence).toContain(
      'NOT MNIST, which is not available: it is not in the cache, and --offline',
    );
    await expect(want(failing(refused), {}, {})).rejects.toBe(refused);
  });

  it('is never the stand-in if a folder was named', async () => {
    await expect(want(failing(refused), { data: '' })).rejects.toBe(refused);
    vi.stubEnv('MNIST_DIR', 'nowhere');
    await expect(want(failing(refused))).rejects.toBe(refused);
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

  it('is not the stand-in after a bug', async () => {
    await expect(want(failing(new TypeError('a bug')))).rejects.toThrow(TypeError);
  });

  it('is chosen with --data and --offline', () => {
    const command = dataOptions(new Command(), 'MNIST', 'MNIST_DIR').exitOverride();
    const given = command.parse(['--data', 'there', '--offline'], { from: 'user' }).opts<DataOptions>();
    expect(given).toEqual({ data: 'there', offline: true });
    expect(command.helpInformation()).toContain('MNIST_DIR');
  });
});
