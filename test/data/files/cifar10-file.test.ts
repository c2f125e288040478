import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CHECKSUMS, cifar10Files } from '../../../src/data/download/cifar10-archive.ts';
import type { DownloadProgress } from '../../../src/data/download/download.ts';
import { type Cifar10Options, loadCifar10From } from '../../../src/data/files/cifar10-file.ts';
import { loadCifar10 } from '../../../src/node.ts';
import { ValueError } from '../../../src/tensor/errors.ts';
import { records } from '../cifar10-records.ts';
import { folder, rejection } from '../helpers.ts';
import {
  answering,
  breaking,
  type Mirror,
  mirror,
  sending,
  shortLimit,
  slowly,
  well,
} from '../download/server.ts';
import { sha256 } from './small-files.ts';

let cache = '';
beforeEach(async () => {
  cache = await folder({});
  vi.stubEnv('GAMMABETA_CACHE', cache);
  vi.stubEnv('CIFAR10_DIR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** The six files, each with two images; the labels tell the files apart. */
const six = Object.fromEntries(cifar10Files.map((name, i) => [name, records([i, 9 - i])]));
const all = [0, 9, 1, 8, 2, 7, 3, 6, 4, 5];

describe('loadCifar10', () => {
  it('reads all five batches in order, gzipped or not', async () => {
    const gzipped = Object.fromEntries(
      Object.entries(six).map(([name, file]) => [`${name}.gz`, gzipSync(file)]),
    );
    for (const files of [six, gzipped, { ...six, 'readme.html': '<html>' }]) {
      const dir = await folder(files);
      const { train, test, origin } = await loadCifar10({ dir });
      expect([...train.labels]).toEqual(all);
      expect([...test.labels]).toEqual([5, 4]);
      expect(train.x.subarray(3 * 3072, 4 * 3072)).toEqual(six['data_batch_2.bin'].subarray(3074));
      expect(train).toMatchObject({ shape: [3072], divisor: 255 });
      expect(origin).toEqual({ kind: 'folder', path: dir });
    }
  });

  it('reads a subset, from the folder that CIFAR10_DIR names', async () => {
    const { 'data_batch_1.bin': batch, 'test_batch.bin': tests } = six;
    vi.stubEnv('CIFAR10_DIR', await folder({ 'data_batch_1.bin': batch, 'test_batch.bin': tests }));
    expect([...(await loadCifar10()).train.labels]).toEqual([0, 9]);
  });

  it.each([
    ['some of the five', ['data_batch_3.bin', 'data_batch_5.bin'], 'data_batch_3.bin, data_batch_5.bin'],
    ['the test images', ['test_batch.bin'], 'test_batch.bin'],
    ['all', cifar10Files, 'data_batch_1.bin, test_batch.bin'],
  ])('lists missing files: %s', async (_, without, missing) => {
    const dir = await folder(
      Object.fromEntries(Object.entries(six).filter(([name]) => !without.includes(name))),
    );
    const { problem, hint } = await rejection(loadCifar10({ dir }));
    expect(problem).toBe(`missing in ${dir}: ${missing} (each as it is, or with .gz)`);
    expect(hint).toContain('https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz');
  });

  it.each([
    ['an HTML page', '<!DOCTYPE html>', /data_batch_4\.bin: this is an HTML page/],
    ['a gzipped HTML page', gzipSync('<!DOCTYPE html>'), /data_batch_4\.bin: this is an HTML page/],
    ['cut short', records([1, 2]).subarray(0, 5000), /data_batch_4\.bin: .* 1 records and 1927 bytes/],
    [
      'cut short, and gzipped',
      gzipSync(records([1])).subarray(0, 60),
      /data_batch_4\.bin cannot be read: unexpected end/,
    ],
    [
      'a gzip bomb',
      gzipSync(Buffer.alloc(60_001 * 3073), { level: 1 }),
      /data_batch_4\.bin cannot be read: unpacked, it has more than the expected 184380000 bytes/,
    ],
    ['wrong in a label', records([1, 77]), /data_batch_4\.bin: label 1 of 2 is not a class: 77/],
  ] as const)('names the file that is %s', async (_, content, message) => {
    const { op, problem } = await rejection(
      loadCifar10({ dir: await folder({ ...six, 'data_batch_4.bin': content }) }),
    );
    expect(op).toBe('loadCifar10');
    expect(problem).toMatch(message);
  });

  it('has a hint if there are no files', async () => {
    const { problem, hint } = await rejection(loadCifar10());
    expect(problem).toContain('the environment variable CIFAR10_DIR');
    expect(problem).toContain(join(cache, 'cifar10'));
    expect(hint).toContain('loadCifar10({ download: true })');
    expect((await rejection(loadCifar10({ dir: join(cache, 'no') }))).problem).toContain('cannot be read');
    const options = { dir: '/', path: 'x' };
    expect((await rejection(loadCifar10(options), ValueError)).problem).toBe('unknown option: path');
  });
});

describe('loadCifar10({ download: true })', () => {
  it('downloads, unpacks, and then reads from the cache', async () => {
    const archive = await pack(six);
    const server = await mirror(new Map([['cifar.tar.gz', archive]]), well);
    const states = new Set<DownloadProgress['state']>();
    const onProgress = ({ state }: DownloadProgress) => states.add(state);
    const { train, origin } = await load([server], archive, { download: true, onProgress });
    expect([...train.labels]).toEqual(all);
    expect(origin.kind).toBe('download');
    expect([...states]).toEqual(['receiving', 'unpacking']);
    expect((await readdir(join(cache, 'cifar10'))).sort()).toEqual(['SHA256SUMS', ...cifar10Files]);
    const sums = await readFile(join(cache, 'cifar10', 'SHA256SUMS'), 'utf8');
    expect(sums.split('\n')[5]).toBe(`${sha256(six['test_batch.bin'])}  test_batch.bin`);
    expect((await load([], archive, {})).origin.kind).toBe('cache');
    expect(await readdir(cache)).toEqual(['cifar10']);
  });

  it('tries the next address if one fails', async () => {
    const archive = await pack(six);
    const files = new Map([['cifar.tar.gz', archive]]);
    const bad = [
      await mirror(files, answering(500)),
      await mirror(files, breaking),
      await mirror(files, sending(archive.subarray(1))),
      await mirror(files, sending(new Uint8Array(archive.length))),
    ];
    const server = await mirror(files, well);
    expect([...(await load([...bad, server], archive)).train.labels]).toEqual(all);
    expect((await readdir(join(cache, 'cifar10'))).sort()).toEqual(['SHA256SUMS', ...cifar10Files]);
  });

  it('can run several times at once', async () => {
    const archive = await pack(six);
    const server = await mirror(new Map([['cifar.tar.gz', archive]]), slowly(5));
    const runs = await Promise.all([0, 1, 2].map(() => load([server], archive)));
    for (const { train } of runs) expect([...train.labels]).toEqual(all);
    expect((await readdir(join(cache, 'cifar10'))).sort()).toEqual(['SHA256SUMS', ...cifar10Files]);
  });

  it('reports why the archive could not be downloaded', async () => {
    const archive = await pack(six);
    const server = await mirror(new Map([['cifar.tar.gz', archive.map((byte) => byte ^ 1)]]), well);
    const { problem, hint } = await rejection(load([server], archive));
    expect(problem).toMatch(
      /^cifar-10-binary\.tar\.gz could not be downloaded: http:.*: it has the SHA-256 [0-9a-f]{64} instead of/,
    );
    expect(hint).toContain('CIFAR10_DIR=');
    expect(await readdir(join(cache, 'cifar10'))).toEqual([]);
  });

  it('downloads again if files in the cache are damaged or missing', async () => {
    const archive = await pack(six);
    const server = await mirror(new Map([['cifar.tar.gz', archive]]), well);
    await load([server], archive);
    const damages = [
      () => writeFile(join(cache, 'cifar10', 'data_batch_2.bin'), records([1, 1])),
      () => rm(join(cache, 'cifar10', 'data_batch_3.bin')),
      () => Promise.all(cifar10Files.slice(1, 5).map((name) => rm(join(cache, 'cifar10', name)))),
    ];
    for (const damage of damages) {
      await damage();
      const { problem, hint } = await rejection(load([server], archive, {}));
      expect(problem).toMatch(/^the cache is damaged: /);
      expect(hint).toContain('loadCifar10({ download: true })');
      expect([...(await load([server], archive)).train.labels]).toEqual(all);
    }
  });

  it.each([
    [
      'has not all files',
      () => pack({ 'data_batch_1.bin': six['data_batch_1.bin'] }),
      /the archive has no data_batch_2/,
    ],
    [
      'is cut short',
      async () => gzipSync((await pack(six, false)).subarray(0, 5000)),
      /it cannot be unpacked: /,
    ],
    [
      'is not a tar archive',
      () => Promise.resolve(gzipSync('something else')),
      /the archive has no data_batch_1/,
    ],
    [
      'is not gzip',
      () => Promise.resolve(new Uint8Array(9)),
      /it cannot be unpacked: incorrect header check/,
    ],
  ] as const)('refuses an archive that %s, and leaves no file', async (_, make, message) => {
    const archive = await make();
    const server = await mirror(new Map([['cifar.tar.gz', new Uint8Array(archive)]]), well);
    expect((await rejection(load([server], archive))).problem).toMatch(message);
    expect(await readdir(join(cache, 'cifar10'))).toEqual([]);
    expect((await rejection(load([server], archive, {}))).problem).toContain('no earlier download');
  });

  it('can be interrupted at any moment, and leaves no temporary file', async () => {
    const archive = await pack(six);
    const server = await mirror(new Map([['cifar.tar.gz', archive]]), slowly(5));
    // Each attempt waits longer than the one before, so later ones are further apart.
    for (let events = 1; ; events += Math.ceil(events / 8)) {
      const interrupt = new AbortController();
      const reason = new Error('interrupted');
      let count = 0;
      const onProgress = () => {
        if (++count === events) setTimeout(() => interrupt.abort(reason), events % 3);
      };
      const options = { download: true, signal: interrupt.signal, onProgress };
      const error: unknown = await load([server], archive, options).then(
        () => null,
        (cause: unknown) => cause,
      );
      if (error === null) break;
      expect(error).toBe(reason);
      const left = await readdir(join(cache, 'cifar10'));
      expect(left.filter((name) => ![CHECKSUMS, ...cifar10Files].includes(name))).toEqual([]);
    }
    expect([...(await load([], archive, {})).train.labels]).toEqual(all);
  });
});

function load(servers: readonly Mirror[], archive: Uint8Array, options: Cifar10Options = { download: true }) {
  const urls = servers.map(({ url }) => `${url}cifar.tar.gz`);
  return loadCifar10From({ urls, size: archive.length, sha256: sha256(archive) }, options, shortLimit);
}

/** An archive with these files, and a text file, in a folder: made by tar(1), as the original is. */
async function pack(files: Readonly<Record<string, Uint8Array>>, gzip = true): Promise<Uint8Array> {
  const dir = await folder({});
  await mkdir(join(dir, 'cifar-10-batches-bin'));
  for (const [name, content] of Object.entries({ ...files, 'batches.meta.txt': 'airplane\n' })) {
    await writeFile(join(dir, 'cifar-10-batches-bin', name), content);
  }
  const file = join(dir, 'archive');
  execFileSync('tar', [gzip ? '-czf' : '-cf', file, '-C', dir, 'cifar-10-batches-bin']);
  return readFile(file);
}
