/** Saving files as a whole: what a file, a link, or a killed process leaves behind. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FormatError } from '../../src/index.ts';
import { readAt } from '../../src/io/read-file.ts';
import { plainSource } from '../../src/io/safetensors.ts';
import { saveFile } from '../../src/io/save-file.ts';
import { folder } from '../data/helpers.ts';

const bytes = (text: string): readonly Uint8Array[] => [new TextEncoder().encode(text)];
const save = (path: string, text: string, delay = 0): Promise<void> =>
  saveFile(
    path,
    plainSource('save'),
    new Promise((resolve) => setTimeout(() => resolve(bytes(text)), delay)),
  );
const text = (path: string) => readFile(path, 'utf8');

const onWindows = process.platform === 'win32';

describe('saving', () => {
  it('does not change the old file: a hard link and an open file still have the old contents', async () => {
    const dir = await folder({ a: 'old contents' });
    await link(join(dir, 'a'), join(dir, 'b'));
    const reader = await open(join(dir, 'a'));
    await save(join(dir, 'a'), 'new');
    expect(await text(join(dir, 'a'))).toBe('new');
    expect(await text(join(dir, 'b'))).toBe('old contents');
    expect(await reader.readFile('utf8')).toBe('old contents');
    await reader.close();
  });

  it('follows symbolic links, and leaves them in place', async () => {
    const dir = await folder({});
    await mkdir(join(dir, 'runs/7'), { recursive: true });
    await writeFile(join(dir, 'runs/7/best'), 'old');
    await symlink('runs/7', join(dir, 'latest')); // a folder
    await symlink('../7/best', join(dir, 'runs/7/link')); // in it, a link relative to the real folder
    await symlink(join(dir, 'latest/link'), join(dir, 'chain'));
    await save(join(dir, 'chain'), 'new');
    expect(await text(join(dir, 'runs/7/best'))).toBe('new');
    expect(await readlink(join(dir, 'chain'))).toBe(join(dir, 'latest/link'));
    expect(await readlink(join(dir, 'runs/7/link'))).toBe('../7/best');
    expect((await readdir(join(dir, 'runs/7'))).sort()).toEqual(['best', 'link']);
    expect((await readdir(dir)).sort()).toEqual(['chain', 'latest', 'runs']);
  });

  it('makes the file that a link leads to if it is missing', async () => {
    const dir = await folder({});
    await mkdir(join(dir, 'elsewhere'));
    await symlink('elsewhere/file', join(dir, 'link'));
    await save(join(dir, 'link'), 'new');
    expect((await lstat(join(dir, 'link'))).isSymbolicLink()).toBe(true);
    expect(await text(join(dir, 'elsewhere/file'))).toBe('new');
    await symlink('nowhere/file', join(dir, 'broken'));
    await expect(save(join(dir, 'broken'), 'new')).rejects.toThrow(/cannot be written: ENOENT/);
    await symlink('circle', join(dir, 'circle'));
    await expect(save(join(dir, 'circle'), 'new')).rejects.toThrow(/cannot be written: ELOOP/);
  });

  it.skipIf(onWindows)('keeps the mode of a file; a new one gets that of any new file', async () => {
    const dir = await folder({ a: 'old', plain: '' });
    for (const mode of [0o600, 0o664, 0o444, 0o4755]) {
      await chmod(join(dir, 'a'), mode);
      await save(join(dir, 'a'), 'new');
      expect((await stat(join(dir, 'a'))).mode & 0o7777).toBe(mode);
    }
    await save(join(dir, 'b'), 'new');
    expect((await stat(join(dir, 'b'))).mode).toBe((await stat(join(dir, 'plain'))).mode);
  });

  it.skipIf(onWindows)('refuses folders, pipes and sockets, also behind links', async () => {
    const dir = await folder({});
    await mkdir(join(dir, 'folder'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const server = createServer().listen(join(dir, 'socket'));
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const names = ['folder', 'pipe', 'socket'];
    for (const name of names) await symlink(name, join(dir, `to-${name}`));
    for (const name of [...names, ...names.map((each) => `to-${each}`)]) {
      const saving = save(join(dir, name), 'new');
      await expect(saving).rejects.toThrow(FormatError);
      await expect(saving).rejects.toThrow(
        `save: ${join(dir, name)} cannot be written: it is ${name.endsWith('folder') ? 'a folder' : 'not a regular file'}. `,
      );
    }
    expect((await readdir(dir)).sort()).toEqual([...names, ...names.map((each) => `to-${each}`)].sort());
    expect((await lstat(join(dir, 'pipe'))).isFIFO()).toBe(true);
  });

  it('takes names that are as long as a file system allows', async () => {
    const dir = await folder({});
    const name = 'x'.repeat(255);
    await save(join(dir, name), 'new');
    expect(await readdir(dir)).toEqual([name]);
  });
});

describe('saves that overlap', () => {
  it('are carried out in the order of the calls, whichever is ready first', async () => {
    const dir = await folder({});
    await mkdir(join(dir, 'real'));
    await symlink('real', join(dir, 'alias'));
    const order: number[] = [];
    const paths = ['real/file', 'alias/file', 'real/../real/file', 'alias/../real/file'];
    const saves = paths.map((path, i) =>
      save(join(dir, path), `call ${i}`, 40 - 10 * i).then(() => order.push(i)),
    );
    await Promise.all(saves);
    expect(order).toEqual([0, 1, 2, 3]);
    expect(await text(join(dir, 'real/file'))).toBe('call 3');
    expect(await readdir(join(dir, 'real'))).toEqual(['file']);
  });

  it('succeed or fail each for itself', async () => {
    const dir = await folder({});
    const reason = new Error('not encoded');
    const results = await Promise.allSettled([
      save(join(dir, 'a'), 'first', 20),
      saveFile(join(dir, 'a'), plainSource('save'), Promise.reject(reason)),
      save(join(dir, 'missing/a'), 'no folder'),
      save(join(dir, 'a'), 'last'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason });
    expect(await text(join(dir, 'a'))).toBe('last');
    expect(await readdir(dir)).toEqual(['a']);
  });
});

describe('what killed processes left behind', () => {
  it('is removed by the next save of the same file', { timeout: 60_000 }, async () => {
    const dir = await folder({});
    const path = join(dir, 'latest');
    const program = join(import.meta.dirname, 'killed-saving.ts');
    const killed = spawn(process.execPath, ['--import', 'tsx', program, path], {
      env: { ...process.env, TSX_DISABLE_CACHE: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
      stdio: 'inherit',
    });
    const [, signal] = (await once(killed, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    const orphans = (await readdir(dir)).filter((name) => name !== 'latest');
    expect(orphans).toHaveLength(1);
    await save(join(dir, 'other'), 'another file');
    expect(await readdir(dir)).toContain(orphans[0]);
    await save(path, 'new');
    expect((await readdir(dir)).sort()).toEqual(['latest', 'other']);
  });

  it('is told from the files of living processes, of other machines, and of others', async () => {
    const dir = await folder({});
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    const path = join(dir, 'latest');
    const own = await namesWhileSaving(path);
    const [, host] = /^latest\.\d+-([0-9a-f]{8})-/.exec(own) ?? [];
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const name = (pid: number | undefined, on = host) => `latest.${pid}-${on}-${uuid}.tmp`;
    const removed = [name(dead.pid)];
    const kept = [
      name(process.ppid),
      name(process.pid),
      name(dead.pid, 'ffffffff'),
      `other.${dead.pid}-${host}-${uuid}.tmp`,
      `latest.${dead.pid}-${host}-notes.tmp`,
      'latest.tmp',
    ];
    for (const each of [...removed, ...kept]) await writeFile(join(dir, each), '');
    await mkdir(join(dir, name(dead.pid).replace('0123', '9999')));
    await save(path, 'new');
    const expected = ['latest', ...kept, name(dead.pid).replace('0123', '9999')];
    expect((await readdir(dir)).sort()).toEqual(expected.sort());

    // The number of the dead process is now our own, as in a container that was started again.
    await utimes(join(dir, name(process.pid)), 0, 0);
    await save(path, 'new');
    expect(await readdir(dir)).not.toContain(name(process.pid));
  });
});

/** The name of the temporary file while `path` is saved. */
async function namesWhileSaving(path: string): Promise<string> {
  const large = Promise.resolve(Array.from({ length: 64 }, () => new Uint8Array(2 ** 18)));
  const saving = saveFile(path, plainSource('save'), large);
  for (;;) {
    const found = (await readdir(join(path, '..'))).find((name) => name.endsWith('.tmp'));
    if (found === undefined) continue;
    await saving;
    return found;
  }
}

it('bytes are read in parts, also if less is read than was asked for', async () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  const lengths: number[] = [];
  const read = (to: Uint8Array, at: number, length: number, position: number) => {
    lengths.push(length);
    const bytesRead = Math.min(Math.ceil(length / 2), bytes.length - position);
    to.set(bytes.subarray(position, position + bytesRead), at);
    return Promise.resolve({ bytesRead, buffer: to });
  };
  const file = { read } as never;
  expect(await readAt(plainSource('read'), file, 3, 97, 7)).toEqual(bytes.subarray(3, 97));
  expect(Math.max(...lengths)).toBe(7);
  await expect(readAt(plainSource('read'), file, 90, 110, 7)).rejects.toThrow(/it ends at 100, before 110/);
});
