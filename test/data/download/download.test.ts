import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DownloadProgress } from '../../../src/data/download/download.ts';
import { inCache } from '../../../src/data/files/source.ts';
import { firstFile, served } from '../files/small-files.ts';
import { loadSmall } from '../files/small-mnist.ts';
import { folder, rejection } from '../helpers.ts';
import {
  type Answer,
  answering,
  breaking,
  cutShort,
  dripping,
  mirror,
  redirecting,
  sending,
  silent,
  slowly,
  stalling,
  well,
} from './server.ts';

let cache = '';
beforeEach(async () => {
  cache = await folder({});
  vi.stubEnv('GAMMABETA_CACHE', cache);
  vi.stubEnv('MNIST_DIR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const names = [...served.keys()].sort();
const files = async () => (await readdir(join(cache, 'mnist'))).sort();
const html = '<!DOCTYPE html><html><body>Please sign in</body></html>';
const damaged: Answer = (bytes, _, response) => {
  response.end(bytes.map((byte, i) => byte ^ +(i === bytes.length - 6)));
};

describe('loadMnist({ download: true })', () => {
  it('downloads into the cache once, and then reads from it', async () => {
    const good = await mirror(served, well);
    const first = await loadSmall([good]);
    expect(first.train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(first.origin).toEqual({ kind: 'download', path: join(cache, 'mnist') });
    for (const options of [{}, { download: true }]) {
      const again = await loadSmall([good], options);
      expect(again.origin.kind).toBe('cache');
      expect(again.test.x).toEqual(first.test.x);
    }
    expect(good.requests).toEqual([...served.keys()]);
    expect(await files()).toEqual(names);
    expect(await readdir(cache)).toEqual(['mnist']);
  });

  it('reports its progress', async () => {
    const seen: DownloadProgress[] = [];
    const good = await mirror(served, slowly(5));
    await loadSmall([good], { download: true, onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ file }) => file))).toEqual(new Set(names));
    const first = seen.filter(({ file }) => file === firstFile);
    const total = served.get(firstFile)?.length;
    const url = `${good.url}${firstFile}`;
    expect(first[0]).toEqual({ state: 'receiving', file: firstFile, url, received: 0, total });
    expect(first.length).toBeGreaterThan(2);
    expect(first.at(-1)?.received).toBe(total);
  });

  it('passes on an error of onProgress, and removes the temporary file', async () => {
    const bug = new TypeError('a bug');
    const onProgress = () => {
      throw bug;
    };
    const good = await mirror(served, well);
    await expect(loadSmall([good], { download: true, onProgress })).rejects.toBe(bug);
    expect(await files()).toEqual([]);
  });

  it('accepts a file that was decompressed on the way', async () => {
    const decompressing = await mirror(served, (bytes, _, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes);
    });
    expect((await loadSmall([decompressing])).test.labels).toEqual(new Uint8Array([7, 2]));
  });

  it('follows redirects', async () => {
    const good = await mirror(served, well);
    const { train } = await loadSmall([await mirror(served, redirecting(good.url))]);
    expect(train.labels).toHaveLength(3);
    expect(good.requests).toHaveLength(4);
  });

  it('gives large files more time', async () => {
    const server = await mirror(served, slowly(100)); // 0.7 s for each file
    const { train } = await loadSmall([server], { download: true }, { base: 500, rate: 50 });
    expect(train.labels).toHaveLength(3);
  });

  it.each([
    ['answers 403', answering(403)],
    ['answers 404', answering(404)],
    ['answers 500', answering(500)],
    ['sends HTML with status 200', sending(html, { 'content-type': 'text/html; charset=utf-8' })],
    ['sends HTML as if it were the file', sending(html)],
    ['sends another gzip file', sending(gzipSync('something else'))],
    ['sends a file that is not gzip', sending('something else')],
    ['sends a damaged file', damaged],
    ['ends in the middle of the file', cutShort],
    ['breaks the connection in the middle of the file', breaking],
    ['stalls', stalling],
    ['sends a byte from time to time', dripping],
    ['does not answer', silent],
    ['redirects to itself', redirecting('/')],
    ['announces more bytes than expected', sending('', { 'content-length': '1000000000' })],
    ['sends more bytes than expected', sending(new Uint8Array(50_000))],
    ['sends nothing', sending('')],
  ] as [string, Answer][])('tries the next mirror if one %s', async (_, answer) => {
    const bad = await mirror(served, answer, answering(404)); // the first file is enough
    const good = await mirror(served, well);
    const { train } = await loadSmall([bad, good]);
    expect(train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(good.requests).toEqual([...served.keys()]);
    expect(await files()).toEqual(names);
  });

  it('lists every mirror with its problem if all fail, and leaves no file', async () => {
    const bad = [
      await mirror(served, answering(404)),
      await mirror(served, answering(503)),
      await mirror(served, sending(html)),
      await mirror(served, sending(gzipSync('something else'))),
      await mirror(served, damaged),
      await mirror(served, breaking),
      await mirror(served, stalling),
      await mirror(served, silent),
      'http://127.0.0.1:9/',
    ];
    const { op, problem, hint } = await rejection(loadSmall(bad));
    expect(op).toBe('loadMnist');
    const size = served.get(firstFile)?.length ?? 0;
    const problems = [
      'it answers 404 Not Found',
      'it answers 503 Service Unavailable',
      "it sends an HTML page with status 200 (a sign-in page, or a proxy's?)",
      'it has 14 bytes unpacked instead of 2368',
      'its bytes cannot be unpacked: incorrect data check',
      'other side closed',
      `no more than ${Math.floor(size / 2)} of ${size} bytes in 2 s`,
      'no answer in 2 s',
      '.*',
    ];
    const urls = bad.map((one) => (typeof one === 'string' ? one : one.url) + firstFile);
    const pattern = urls.map((url, i) => `${url}: ${problems[i]}`).join('; ');
    const escaped = pattern.replaceAll(/[()?]/g, '\\$&');
    expect(problem).toMatch(new RegExp(`^${firstFile} could not be downloaded: ${escaped}$`));
    for (const what of ['try again', 'MNIST_DIR=', '--data', 'NODE_USE_ENV_PROXY']) {
      expect(hint).toContain(what);
    }
    expect(await files()).toEqual([]);
    expect((await rejection(loadSmall([], {}))).problem).toContain('no earlier download');
  });
});

describe('several downloads at once', () => {
  it('all succeed, in one process', async () => {
    const server = await mirror(served, slowly(5));
    const runs = await Promise.all(Array.from({ length: 4 }, () => loadSmall([server])));
    for (const { train } of runs) expect(train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(await files()).toEqual(names);
  });

  it(
    'all succeed, in several processes, and also after one that was killed',
    { timeout: 60_000 },
    async () => {
      const server = await mirror(served, stalling, slowly(50));
      const victim = start(server.url);
      await expect.poll(() => server.requests, { timeout: 20_000 }).toHaveLength(1);
      victim.kill('SIGKILL');
      await once(victim, 'exit');
      expect((await rejection(loadSmall([server], {}))).problem).toContain('no earlier download');
      const others = [start(server.url), start(server.url)];
      expect(await Promise.all(others.map(outputOf))).toEqual(['5,0,9\n', '5,0,9\n']);
      expect(server.requests.length).toBeGreaterThan(5); // they did run at the same time
      expect((await files()).filter((name) => !name.endsWith('.tmp'))).toEqual(names);
      expect((await loadSmall([], {})).origin.kind).toBe('cache');
    },
  );
});

describe('loadMnist without the network', () => {
  it('sends no request unless download is true', async () => {
    const good = await mirror(served, well);
    for (const options of [{}, { download: false }]) {
      const { problem, hint } = await rejection(loadSmall([good], options));
      expect(problem).toContain(join(cache, 'mnist'));
      expect(hint).toContain('loadMnist({ download: true })');
    }
    expect(good.requests).toEqual([]);
    expect(await readdir(cache)).toEqual([]);
  });

  it('searches no other place if a folder is named', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    const dir = join(cache, 'nowhere');
    const problemWith = async (dir: string) =>
      (await rejection(loadSmall([good], { dir, download: true }))).problem;
    expect(await problemWith(dir)).toContain('nowhere cannot be read');
    expect(await problemWith('')).toContain('dir is empty');
    vi.stubEnv('MNIST_DIR', dir);
    expect((await rejection(loadSmall([good]))).problem).toContain('nowhere cannot be read');
    const named = await loadSmall([good], { dir: join(cache, 'mnist') });
    expect(named.origin).toEqual({ kind: 'folder', path: join(cache, 'mnist') });
  });

  it('reports a damaged cache; a download replaces the damaged file only', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    const name = 'train-labels-idx1-ubyte.gz';
    const path = join(cache, 'mnist', name);
    for (const damage of [gzipSync('else'), '', html, (await readFile(path)).subarray(0, 30)]) {
      await writeFile(path, damage);
      good.requests.length = 0;
      const { problem, hint } = await rejection(loadSmall([good], {}));
      expect(problem).toMatch(/^the cache is damaged: .*train-labels-idx1-ubyte\.gz/);
      expect(hint).toMatch(/^remove the folder .*loadMnist\(\{ download: true \}\)/);
      expect(good.requests).toEqual([]);
      expect((await loadSmall([good])).train.labels).toEqual(new Uint8Array([5, 0, 9]));
      expect(good.requests).toEqual([name]);
    }
  });
});

describe('the signal', () => {
  it('ends a download at any moment, and leaves no temporary file', async () => {
    const server = await mirror(served, slowly(5));
    for (let events = 0; ; events++) {
      const interrupt = new AbortController();
      const reason = new Error('interrupted');
      let count = 0;
      const onProgress = () => {
        if (count++ === events) setTimeout(() => interrupt.abort(reason), events % 3);
      };
      const error: unknown = await loadSmall([server], {
        download: true,
        signal: interrupt.signal,
        onProgress,
      }).then(
        () => null,
        (cause: unknown) => cause,
      );
      if (error === null) break;
      expect(error).toBe(reason);
      for (const name of await files()) {
        const bytes = new Uint8Array(await readFile(join(cache, 'mnist', name)));
        expect(bytes).toEqual(new Uint8Array(served.get(name) ?? []));
      }
    }
    expect((await loadSmall([], {})).origin.kind).toBe('cache');
  });

  it('prevents a download if it is already aborted', async () => {
    const server = await mirror(served, well);
    const reason = new Error('interrupted');
    const options = { download: true, signal: AbortSignal.abort(reason) };
    await expect(loadSmall([server], options)).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['an answer', silent],
    ['more bytes', stalling],
  ] as const)('ends the wait for %s', async (_, answer) => {
    const server = await mirror(served, answer);
    const interrupt = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => interrupt.abort(reason), 100);
    await expect(loadSmall([server], { download: true, signal: interrupt.signal })).rejects.toBe(reason);
    expect(await files()).toEqual([]);
  });
});

describe('the cache', () => {
  it('is the folder that GAMMABETA_CACHE names, or the cache folder of the platform', () => {
    expect(inCache('mnist')).toBe(join(cache, 'mnist'));
    for (const unset of [undefined, '']) {
      vi.stubEnv('GAMMABETA_CACHE', unset);
      expect(inCache('mnist')).toMatch(/gammabeta.*mnist$/);
    }
    if (process.platform !== 'linux') return;
    vi.stubEnv('XDG_CACHE_HOME', '/var/cache/me');
    expect(inCache('mnist')).toBe('/var/cache/me/gammabeta/mnist');
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    expect(inCache('mnist')).toBe(join(homedir(), '.cache/gammabeta/mnist'));
  });

  it('can be read if it is read-only; a download into it is an error with a hint', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    await mkdir(join(cache, 'empty'));
    await chmod(join(cache, 'empty'), 0o555);
    await asUnprivilegedUser(async () => {
      expect((await loadSmall([], {})).origin.kind).toBe('cache');
      vi.stubEnv('GAMMABETA_CACHE', join(cache, 'empty'));
      const { problem, hint } = await rejection(loadSmall([good]));
      expect(problem).toMatch(/empty.mnist cannot be written: EACCES/);
      expect(hint).toMatch(/the folder can be written to, or set GAMMABETA_CACHE/);
    });
  });

  it('is an error if it is a file', async () => {
    await writeFile(join(cache, 'file'), '');
    vi.stubEnv('GAMMABETA_CACHE', join(cache, 'file'));
    const { problem, hint } = await rejection(loadSmall([await mirror(served, well)]));
    expect(problem).toMatch(/file.mnist cannot be written: ENOTDIR/);
    expect(hint).toContain('GAMMABETA_CACHE');
  });

  // A limit on the size of files stands in for a full disk: the operating system refuses to write.
  it.skipIf(process.platform === 'win32')(
    'is an error if the disk refuses to write; no other mirror is tried and no file is left',
    async () => {
      const server = await mirror(served, well);
      const output = await outputOf(start(server.url, 'ulimit -f 1; '));
      expect(output).toMatch(
        /^DataError: loadMnist: .*mnist cannot be written: EFBIG.* Hint: check that the disk has room/,
      );
      expect(server.requests).toHaveLength(1);
      expect(await files()).toEqual([]);
    },
  );
});

/** Downloads in a process of its own. tsx's own cache is off, so that a killed process does not damage it. */
function start(url: string, before = '') {
  const program = join(import.meta.dirname, 'download-program.ts');
  const command = `${before}exec '${process.execPath}' --import tsx '${program}' '${url}'`;
  return spawn('sh', ['-c', command], {
    env: { ...process.env, TSX_DISABLE_CACHE: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function outputOf(program: ReturnType<typeof start>): Promise<string> {
  let text = '';
  for await (const chunk of program.stdout) text += String(chunk);
  return text;
}

/** For root, no folder is read-only. */
async function asUnprivilegedUser(action: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return action();
  await chmod(cache, 0o755);
  process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}
