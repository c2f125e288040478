/** The calls to the operating system with which a file is saved, in their order. */
import type * as promises from 'node:fs/promises';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { saveFile, writeAll } from '../../src/io/save-file.ts';
import { plainSource } from '../../src/io/safetensors.ts';
import { folder } from '../data/helpers.ts';

const calls = vi.hoisted((): string[] => []);
/** The name of the call that fails. */
const broken = vi.hoisted((): { call: string | null } => ({ call: null }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof promises>();
  const call = (name: string): void => {
    calls.push(name);
    if (broken.call === name) throw new Error(`${name} fails`);
  };
  const open: typeof fs.open = async (path, flags, mode) => {
    if (flags !== 'wx') return fs.open(path, flags, mode);
    call(`open ${flags}`);
    const file = await fs.open(path, flags, mode);
    for (const name of ['write', 'sync', 'chmod', 'close'] as const) {
      const original = file[name].bind(file) as (...args: unknown[]) => unknown;
      Object.assign(file, {
        [name]: (...args: unknown[]) => {
          if (name === 'close') calls.push(name);
          else call(name);
          return original(...args);
        },
      });
    }
    return file;
  };
  const rename: typeof fs.rename = (from, to) => {
    call('rename');
    return fs.rename(from, to);
  };
  return { ...fs, open, rename };
});

beforeEach(() => {
  calls.length = 0;
  broken.call = null;
});

const parts = Promise.resolve([new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])]);
const save = (path: string) => saveFile(path, plainSource('save'), parts);

it('a file is written beside the old one, flushed, closed, and renamed', async () => {
  const dir = await folder({});
  await save(join(dir, 'new'));
  expect(calls).toEqual(['open wx', 'write', 'write', 'sync', 'close', 'rename']);
  calls.length = 0;
  await save(join(dir, 'new'));
  expect(calls).toEqual(['open wx', 'chmod', 'write', 'write', 'sync', 'close', 'rename']);
  expect([...(await readFile(join(dir, 'new')))]).toEqual([1, 2, 3]);
});

it.each(['open wx', 'chmod', 'write', 'sync', 'rename'])(
  'if %s fails, the old file stays, and no other does',
  async (call) => {
    const dir = await folder({ old: 'old' });
    broken.call = call;
    await expect(save(join(dir, 'old'))).rejects.toThrow(
      `old cannot be written: ${call} fails. Hint: the folder must`,
    );
    expect(calls.filter((each) => each === 'close')).toHaveLength(call === 'open wx' ? 0 : 1);
    expect(await readdir(dir)).toEqual(['old']);
    expect(await readFile(join(dir, 'old'), 'utf8')).toBe('old');
    broken.call = null;
    await save(join(dir, 'old'));
  },
);

it('bytes are written in parts, also if less is written than was asked for', async () => {
  const written: number[] = [];
  const lengths: number[] = [];
  const write = (bytes: Uint8Array, at: number, length: number) => {
    lengths.push(length);
    const bytesWritten = Math.ceil(length / 2);
    written.push(...bytes.subarray(at, at + bytesWritten));
    return Promise.resolve({ bytesWritten, buffer: bytes });
  };
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  await writeAll({ write } as never, bytes, 7);
  expect(written).toEqual([...bytes]);
  expect(Math.max(...lengths)).toBe(7);
});
