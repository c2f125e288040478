import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DataOptions, dataOptions, resolveData, type Wanted } from '../cli/data.ts';
import { folder, rejection } from '../../../test/data/helpers.ts';
import { answering, type Mirror, mirror, well } from '../../../test/data/download/server.ts';
import { served } from '../../../test/data/files/small-files.ts';
import { loadSmall } from '../../../test/data/files/small-mnist.ts';

let cache = '';
let said: string[] = [];
beforeEach(async () => {
  cache = await folder({});
  vi.stubEnv('GAMMABETA_CACHE', cache);
  vi.stubEnv('MNIST_DIR', undefined);
  said = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => said.push(line));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const part = { x: new Uint8Array(784), shape: [784], labels: new Uint8Array([7]) };
const standIn = { name: 'built-in digits', make: () => ({ train: part, test: part }) };

const want = (server: Mirror, options: DataOptions = {}, more: Partial<Wanted> = { standIn }) =>
  resolveData(
    { name: 'MNIST', variable: 'MNIST_DIR', load: (given) => loadSmall([server], given), ...more },
    options,
    new AbortController().signal,
  );

describe('the data of an example', () => {
  it('is downloaded, and then in the cache', async () => {
    const server = await mirror(served, well);
    const first = await want(server);
    expect(first).toMatchObject({ name: 'MNIST', isStandIn: false, from: 'download' });
    expect(first.sentence).toBe(`Data: MNIST, downloaded into ${cache}/mnist.`);
    expect(said).toHaveLength(4); // a line for each file, on stderr
    expect(said[0]).toMatch(/^Downloading train-images-idx3-ubyte\.gz from 127\.0\.0\.1:\d+$/);
    expect((await want(server, { offline: true })).sentence).toBe(
      `Data: MNIST, from the cache, ${cache}/mnist.`,
    );
    expect((await want(server)).from).toBe('cache');
    expect(server.requests).toHaveLength(4);
  });

  it('is that of the folder that was named', async () => {
    const server = await mirror(served, well);
    const dir = await folder(Object.fromEntries(served));
    expect((await want(server, { data: dir })).sentence).toBe(`Data: MNIST, from ${dir}.`);
    vi.stubEnv('MNIST_DIR', dir);
    expect((await want(server)).from).toBe('folder');
    expect(server.requests).toEqual([]);
  });

  it('is the stand-in where it can be neither found nor fetched, and says so and why', async () => {
    const server = await mirror(served, answering(503));
    const found = await want(server);
    expect(found).toMatchObject({ name: 'built-in digits', isStandIn: true, from: 'built in', train: part });
    expect(found.sentence).toMatch(
      /^Data: built-in digits, NOT MNIST, which could not be had: .* it answers 503 Service Unavailable\. Hint: --data DIR or MNIST_DIR=DIR/,
    );
    expect((await rejection(want(server, {}, {}))).problem).toContain('503');
  });

  it('is not asked for on the network with --offline', async () => {
    const server = await mirror(served, well);
    const found = await want(server, { offline: true });
    expect(found.sentence).toContain(
      'NOT MNIST, which could not be had: it is not in the cache, and --offline',
    );
    expect(server.requests).toEqual([]);
  });

  it('is never anything else where a folder was named', async () => {
    const server = await mirror(served, well);
    const dir = await folder({});
    expect((await rejection(want(server, { data: dir }))).problem).toContain(`missing in ${dir}`);
    expect((await rejection(want(server, { data: '' }))).problem).toContain('dir is empty');
    vi.stubEnv('MNIST_DIR', `${dir}/no`);
    expect((await rejection(want(server))).problem).toContain('cannot be read');
    expect(server.requests).toEqual([]);
  });

  it('is no longer waited for when Ctrl-C is pressed', async () => {
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
    const load = () => Promise.reject(new TypeError('a bug'));
    await expect(want(await mirror(served, well), {}, { load, standIn })).rejects.toThrow(TypeError);
  });

  it('is chosen with --data and --offline', () => {
    const command = dataOptions(new Command(), 'MNIST', 'MNIST_DIR').exitOverride();
    const given = command.parse(['--data', 'there', '--offline'], { from: 'user' }).opts<DataOptions>();
    expect(given).toEqual({ data: 'there', offline: true });
    expect(command.helpInformation()).toContain('MNIST_DIR');
  });
});
