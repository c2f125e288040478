import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DownloadProgress } from '../../../src/data/download/download.ts';
import { folder, rejection } from '../helpers.ts';
import {
  answering,
  breaking,
  cutShort,
  mirror,
  sending,
  silent,
  slowly,
  stalling,
  versioned,
  well,
} from './server.ts';
import { firstFile, served } from '../files/small-files.ts';
import { loadSmall } from '../files/small-mnist.ts';

let cache = '';
beforeEach(async () => {
  cache = await folder({});
  vi.stubEnv('GAMMABETA_CACHE', cache);
  vi.stubEnv('MNIST_DIR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const names = [...served.keys()];
const html = '<!DOCTYPE html><html><body>Please sign in</body></html>';

describe('loadMnist({ download: true })', () => {
  it('fills the cache once, and then reads from it', async () => {
    const good = await mirror(served, well);
    const first = await loadSmall([good]);
    expect(first.train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(first.origin).toEqual({ kind: 'download', path: join(cache, 'mnist') });
    expect(good.requests).toEqual(names);
    for (const options of [{}, { download: true }]) {
      const again = await loadSmall([good], options);
      expect(again.origin.kind).toBe('cache');
      expect(again.test.x).toEqual(first.test.x);
    }
    expect(good.requests).toHaveLength(4);
    expect((await readdir(join(cache, 'mnist'))).sort()).toEqual([...names].sort());
    expect(await readdir(cache)).toEqual(['mnist']); // the lock is gone
  });

  it('says how far it is', async () => {
    const seen: DownloadProgress[] = [];
    const good = await mirror(served, slowly);
    await loadSmall([good], { download: true, onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ file }) => file))).toEqual(new Set(names));
    const first = seen.filter(({ file }) => file === firstFile);
    const total = served.get(firstFile)?.length;
    expect(first[0]).toEqual({
      state: 'receiving',
      file: firstFile,
      url: `${good.url}${firstFile}`,
      received: 0,
      total,
    });
    expect(first.length).toBeGreaterThan(2);
    expect(first.at(-1)?.received).toBe(total);
  });

  it('takes what a server has unpacked on the way', async () => {
    const unpacking = await mirror(served, (bytes, _, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes);
    });
    expect((await loadSmall([unpacking])).test.labels).toEqual(new Uint8Array([7, 2]));
  });

  it.each([
    ['answers 403', answering(403)],
    ['answers 404', answering(404)],
    ['answers 500', answering(500)],
    ['sends HTML with status 200', sending(html, { 'content-type': 'text/html; charset=utf-8' })],
    ['sends HTML as if it were the file', sending(html)],
    ['sends wrong bytes', sending(gzipSync('something else'))],
    ['sends bytes that are no gzip', sending('something else')],
    [
      'sends a damaged file',
      (bytes, _, response) => response.end(bytes.map((byte, i) => byte ^ +(i === bytes.length - 6))),
    ],
    ['ends in the middle of the file', cutShort],
    ['breaks in the middle, each time', breaking()],
    ['stalls', stalling],
    ['does not answer', silent],
    ['announces more than there can be', sending('', { 'content-length': '1000000000' })],
    ['sends more than there can be', sending(new Uint8Array(50_000))],
    ['sends nothing', sending('')],
  ] as [string, typeof well][])('goes to the next mirror where one %s', async (_, answer) => {
    const bad = await mirror(served, (bytes, request, response) => {
      // One file is enough to see it.
      (request.url === `/${firstFile}` ? answer : answering(404))(bytes, request, response);
    });
    const good = await mirror(served, well);
    const { train } = await loadSmall([bad, good]);
    expect(train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(good.requests.map((request) => request.replace(/ from .*/, ''))).toEqual(names);
    expect((await readdir(join(cache, 'mnist'))).sort()).toEqual([...names].sort());
  });

  it('names every mirror and its reason where all are bad, and leaves nothing that is data', async () => {
    const bad = [
      await mirror(served, answering(404)),
      await mirror(served, sending(html)),
      await mirror(served, sending(gzipSync('something else'))),
      await mirror(served, breaking()),
      await mirror(served, stalling),
      await mirror(served, silent),
      'http://127.0.0.1:9/',
    ];
    const { op, problem, hint } = await rejection(loadSmall(bad));
    expect(op).toBe('loadMnist');
    const urls = bad.map((one) => (typeof one === 'string' ? one : one.url) + firstFile);
    const half = served.get(firstFile)?.length ?? 0;
    const reasons = [
      'it answers 404 Not Found',
      "it sends an HTML page with status 200 (a sign-in page, or a proxy's?)",
      'it has 14 bytes unpacked instead of 2368',
      '.* (3 times)',
      `no more than ${Math.floor(half / 2)} of ${half} bytes in 1 s (3 times)`,
      'no answer in 1 s',
      '.*',
    ];
    const pattern = urls.map((url, i) => `${url}: ${reasons[i]}`).join('; ');
    const escaped = pattern.replaceAll(/[()?]/g, '\\$&');
    expect(problem).toMatch(new RegExp(`^${firstFile} could not be downloaded: ${escaped}$`));
    for (const what of ['try again', 'MNIST_DIR=', '--data', 'NODE_USE_ENV_PROXY'])
      expect(hint).toContain(what);
    expect((await rejection(loadSmall([], {}))).problem).toContain('no earlier download');
  });
});

describe('an interrupted download', () => {
  const total = served.get(firstFile)?.length ?? 0;
  const half = Math.floor(total / 2);

  it('goes on where the connection broke, at the same version', async () => {
    const server = await mirror(served, breaking(), well);
    expect((await loadSmall([server])).train.labels).toHaveLength(3);
    expect(server.requests.slice(0, 2)).toEqual([firstFile, `${firstFile} from ${half}`]);
  });

  it.each([
    ['the file is another by now', breaking({ etag: '"0"' }), well, true],
    ['the server does not say which version it has', breaking({}), well, false],
    ['the version is a weak one', breaking({ etag: 'W/"1"' }), well, false],
    [
      'the server answers with another range',
      breaking(),
      sending('', { 'content-range': 'bytes 7-8/9' }),
      true,
    ],
  ] as [string, typeof well, typeof well, boolean][])(
    'begins anew where %s',
    async (_, first, then, asks) => {
      const server = await mirror(served, first, then, well);
      const good = await mirror(served, well);
      expect((await loadSmall([server, good])).train.labels).toHaveLength(3);
      expect(server.requests[1]).toBe(asks ? `${firstFile} from ${half}` : firstFile);
    },
  );

  it('goes by the date where there is no version', async () => {
    const date = 'Tue, 21 Nov 2000 00:00:00 GMT';
    const server = await mirror(served, breaking({ 'last-modified': date }), versioned(date));
    await loadSmall([server]);
    expect(server.requests[1]).toBe(`${firstFile} from ${half}`);
  });

  it('is done once more in one piece where the pieces do not fit together', async () => {
    const wrong = new Map(served).set(firstFile, new Uint8Array(total));
    const server = await mirror(
      served,
      breaking(),
      (_, request, response) => {
        well(wrong.get(firstFile) ?? new Uint8Array(), request, response);
      },
      well,
    );
    expect((await loadSmall([server])).train.labels).toHaveLength(3);
    expect(server.requests.slice(0, 3)).toEqual([firstFile, `${firstFile} from ${half}`, firstFile]);
  });

  it('is done when nothing was missing but the check', async () => {
    const server = await mirror(served, well);
    const path = join(await cached(), `${firstFile}.part`);
    await writeFile(path, served.get(firstFile) ?? '');
    await writeFile(`${path}.json`, JSON.stringify({ url: server.url + firstFile, version: '"1"' }));
    await loadSmall([server]);
    expect(server.requests).toEqual([`${firstFile} from ${total}`]);
  });

  it('begins anew where its notes are damaged, or it is longer than the file', async () => {
    const server = await mirror(served, well);
    const path = join(await cached(), `${firstFile}.part`);
    for (const [part, notes] of [
      ['abc', '{"url":'],
      ['abc', '{}'],
      [new Uint8Array(total + 1), JSON.stringify({ url: server.url + firstFile, version: '"1"' })],
    ] as const) {
      await writeFile(path, part);
      await writeFile(`${path}.json`, notes);
      await loadSmall([server]);
      await writeFile(join(cache, 'mnist', firstFile), ''); // for the next round
    }
  });

  const cached = async () => {
    await loadSmall([await mirror(served, well)]);
    await writeFile(join(cache, 'mnist', firstFile), 'damaged');
    return join(cache, 'mnist');
  };
});

describe('loadMnist, without the network', () => {
  it('asks nobody unless it is told to download', async () => {
    const good = await mirror(served, well);
    for (const options of [{}, { download: false }]) {
      const { problem, hint } = await rejection(loadSmall([good], options));
      expect(problem).toContain(join(cache, 'mnist'));
      expect(hint).toContain('loadMnist({ download: true })');
    }
    expect(good.requests).toEqual([]);
    expect(await readdir(cache)).toEqual([]);
  });

  it('never takes something else for a folder that was named', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    const dir = join(cache, 'nowhere');
    expect((await rejection(loadSmall([good], { dir, download: true }))).problem).toContain(
      'nowhere cannot be read',
    );
    expect((await rejection(loadSmall([good], { dir: '', download: true }))).problem).toContain(
      'dir is empty',
    );
    vi.stubEnv('MNIST_DIR', dir);
    expect((await rejection(loadSmall([good]))).problem).toContain('nowhere cannot be read');
    const named = await loadSmall([good], { dir: join(cache, 'mnist') });
    expect(named.origin).toEqual({ kind: 'folder', path: join(cache, 'mnist') });
  });

  it('says that the cache is damaged; a download gets what is damaged, and nothing else', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    const path = join(cache, 'mnist', names[1]);
    for (const damaged of [gzipSync('else'), '', html, (await readFile(path)).subarray(0, 30)]) {
      await writeFile(path, damaged);
      good.requests.length = 0;
      const { problem, hint } = await rejection(loadSmall([good], {}));
      expect(problem).toMatch(/^the cache is damaged: .*train-labels-idx1-ubyte\.gz/);
      expect(hint).toMatch(/^remove the folder .*loadMnist\(\{ download: true \}\)/);
      expect(good.requests).toEqual([]);
      expect((await loadSmall([good])).train.labels).toEqual(new Uint8Array([5, 0, 9]));
      expect(good.requests).toEqual([names[1]]);
    }
  });
});

describe('the signal', () => {
  it('ends a download at any moment; what is in the cache is right, and the next one goes on', async () => {
    const server = await mirror(served, slowly);
    for (let events = 0; ; events++) {
      const interrupt = new AbortController();
      const reason = new Error('interrupted');
      let count = 0;
      const loading = loadSmall([server], {
        download: true,
        signal: interrupt.signal,
        onProgress: () => {
          if (count++ === events) setTimeout(() => interrupt.abort(reason), events % 3);
        },
      });
      const error: unknown = await loading.then(
        () => null,
        (cause: unknown) => cause,
      );
      expect(existsSync(join(cache, 'mnist.lock'))).toBe(false);
      if (error === null) break;
      expect(error).toBe(reason);
      const whole = (await readdir(join(cache, 'mnist'))).filter((name) => name.endsWith('.gz'));
      for (const name of whole) {
        expect(new Uint8Array(await readFile(join(cache, 'mnist', name)))).toEqual(
          new Uint8Array(served.get(name) ?? []),
        );
      }
    }
    expect(server.requests.some((request) => request.includes(' from '))).toBe(true);
    expect((await loadSmall([], {})).origin.kind).toBe('cache');
  });

  it('ends it before it begins', async () => {
    const server = await mirror(served, well);
    const reason = new Error('interrupted');
    await expect(loadSmall([server], { download: true, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['an answer', silent],
    ['more', stalling],
  ] as const)('ends the waiting for %s', async (_, answer) => {
    const server = await mirror(served, answer);
    const interrupt = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => interrupt.abort(reason), 100);
    await expect(loadSmall([server], { download: true, signal: interrupt.signal })).rejects.toBe(reason);
  });
});
