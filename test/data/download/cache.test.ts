import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inCache } from '../../../src/data/download/cache.ts';
import type { DownloadProgress } from '../../../src/data/download/download.ts';
import { withLock } from '../../../src/data/download/lock.ts';
import { folder, rejection } from '../helpers.ts';
import { mirror, slowly, well } from './server.ts';
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

describe('the cache', () => {
  it('is where GAMMABETA_CACHE says, or where the platform keeps what can be fetched again', () => {
    expect(inCache('mnist')).toBe(join(cache, 'mnist'));
    for (const unset of [undefined, '']) {
      vi.stubEnv('GAMMABETA_CACHE', unset);
      expect(inCache('mnist')).toMatch(/gammabeta.*mnist$/);
    }
    if (process.platform !== 'linux') return;
    vi.stubEnv('XDG_CACHE_HOME', '/var/cache/me');
    expect(inCache()).toBe('/var/cache/me/gammabeta');
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    expect(inCache()).toBe(join(homedir(), '.cache/gammabeta'));
  });

  it('that is read-only says so and what to do; what is in it is still read', async () => {
    const good = await mirror(served, well);
    await loadSmall([good]);
    await mkdir(join(cache, 'empty'));
    await chmod(join(cache, 'empty'), 0o555);
    await asSomeone(cache, async () => {
      expect((await loadSmall([], {})).origin.kind).toBe('cache');
      vi.stubEnv('GAMMABETA_CACHE', join(cache, 'empty'));
      const { problem, hint } = await rejection(loadSmall([good]));
      expect(problem).toMatch(/empty.mnist cannot be written: EACCES/);
      expect(hint).toMatch(/a folder that can be written to, or let the variable GAMMABETA_CACHE name/);
    });
  });

  it('that is no folder says so', async () => {
    await writeFile(join(cache, 'file'), '');
    vi.stubEnv('GAMMABETA_CACHE', join(cache, 'file'));
    const { problem, hint } = await rejection(loadSmall([await mirror(served, well)]));
    expect(problem).toMatch(/file.mnist cannot be written: ENOTDIR/);
    expect(hint).toContain('GAMMABETA_CACHE');
  });

  // Every write to this device is answered with ENOSPC: a full disk, not a pretended one.
  it.skipIf(!existsSync('/dev/full'))(
    'on a full disk says so, asks no other mirror, leaves nothing',
    async () => {
      await mkdir(join(cache, 'mnist'));
      await symlink('/dev/full', join(cache, 'mnist', `${firstFile}.part`));
      const mirrors = [await mirror(served, well), await mirror(served, well)];
      const { problem, hint } = await rejection(loadSmall(mirrors));
      expect(problem).toMatch(/train-images-idx3-ubyte\.gz\.part cannot be written: ENOSPC/);
      expect(hint).toMatch(/^make room, or let the variable GAMMABETA_CACHE/);
      expect(mirrors.map(({ requests }) => requests.length)).toEqual([1, 0]);
      expect((await readdir(join(cache, 'mnist'))).filter((name) => !name.endsWith('.json'))).toEqual([]);
      expect((await loadSmall(mirrors)).train.labels).toHaveLength(3); // there is room again
    },
  );
});

describe('several runs at once', () => {
  it('share one download, in one process', async () => {
    const server = await mirror(served, slowly);
    const seen: DownloadProgress[] = [];
    const runs = await Promise.all(
      Array.from({ length: 4 }, () =>
        loadSmall([server], { download: true, onProgress: (progress) => seen.push(progress) }),
      ),
    );
    for (const { train } of runs) expect(train.labels).toEqual(new Uint8Array([5, 0, 9]));
    expect(server.requests).toHaveLength(4);
    expect(seen.filter(({ state }) => state === 'waiting')).toHaveLength(3);
  });

  it('share one in several processes; one that is killed in the middle leaves nothing wrong', async () => {
    let killed = false;
    let kill = (): boolean => false;
    const server = await mirror(served, (bytes, request, response) => {
      slowly(bytes, request, response);
      if (!killed && request.url?.includes('t10k-images') === true) setTimeout(() => (killed = kill()), 10);
    });
    const run = () =>
      spawn(
        process.execPath,
        ['--import', 'tsx', join(import.meta.dirname, 'download-program.ts'), server.url],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
    const victim = run();
    kill = () => victim.kill('SIGKILL');
    await once(victim, 'exit');
    expect(killed).toBe(true);
    expect((await rejection(loadSmall([server], {}))).problem).toContain('no earlier download');
    const others = [run(), run()];
    const printed = await Promise.all(
      others.map(async (program) => {
        let text = '';
        for await (const chunk of program.stdout) text += String(chunk);
        return text;
      }),
    );
    expect(printed).toEqual(['5,0,9\n', '5,0,9\n']);
    const counts = [...served.keys()].map((name) => server.requests.filter((r) => r.startsWith(name)).length);
    expect(counts).toEqual([1, 1, 2, 1]); // what was there was kept, and the broken one asked for again
    expect((await readdir(cache)).sort()).toEqual(['mnist']);
  });
});

describe('withLock', () => {
  it('lets one work at a time, and goes on after a failure', async () => {
    const path = join(cache, 'lock');
    let working = 0;
    const work = async (k: number) => {
      expect(++working).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      working--;
      if (k === 1) throw new Error('work failed');
      return k;
    };
    const results = await Promise.allSettled([0, 1, 2].map((k) => withLock(path, {}, () => work(k))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(existsSync(path)).toBe(false);
  });

  it('does not wait for a process that is gone', async () => {
    const path = join(cache, 'lock');
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    await writeFile(path, `${hostname()} ${gone.pid} x`);
    expect(await withLock(path, {}, () => Promise.resolve(1))).toBe(1);
  });

  it('waits for one that lives, and for one elsewhere as long as it gives signs of life', async () => {
    const path = join(cache, 'lock');
    await writeFile(path, 'another-machine 1 x');
    const signs = setInterval(() => {
      const now = new Date();
      void utimes(path, now, now);
    }, 50);
    const onWait = vi.fn();
    const begin = performance.now();
    setTimeout(() => clearInterval(signs), 500);
    await withLock(path, { staleMs: 300, onWait }, () => Promise.resolve());
    expect(performance.now() - begin).toBeGreaterThan(700);
    expect(onWait).toHaveBeenCalledTimes(1);
    await writeFile(path, `${hostname()} ${process.pid} x`);
    const signal = AbortSignal.timeout(150);
    await expect(withLock(path, { signal }, () => Promise.resolve())).rejects.toThrow('timeout');
    expect(existsSync(path)).toBe(true); // it is not ours
  });

  it('does not take away the lock of one who took it over', async () => {
    const path = join(cache, 'lock');
    await withLock(path, {}, () => writeFile(path, 'another-machine 1 x'));
    expect((await stat(path)).isFile()).toBe(true);
  });
});

/** Not as root, for whom nothing is read-only. */
async function asSomeone(own: string, action: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return action();
  await chmod(own, 0o755);
  process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}
