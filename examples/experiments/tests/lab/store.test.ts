import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../lab/store.ts';

const setting = { norm: 'none', lr: 0.1, seed: 1 };
const outcome = { accuracy: 0.5, path: [1, 2] };

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'gammabeta-store-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const kept = async () => {
  const store = new Store(folder, 'checksum');
  await store.keep('speed', setting, outcome);
  return { store, file: join(folder, 'speed', 'norm=none lr=0.1 seed=1.json') };
};

describe('saved runs of the lab', () => {
  it('are found again', async () => {
    const { store, file } = await kept();
    expect(await store.find('speed', setting)).toEqual(outcome);
    expect(await readdir(join(folder, 'speed'))).toEqual(['norm=none lr=0.1 seed=1.json']);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ run: { setting, data: 'checksum' } });
  });

  it('are not found for another claim, setting or data', async () => {
    const { store } = await kept();
    expect(await store.find('cost', setting)).toBeNull();
    expect(await store.find('speed', { ...setting, seed: 2 })).toBeNull();
    expect(await store.find('speed', { ...setting, steps: 10 })).toBeNull();
    expect(await new Store(folder, 'other').find('speed', setting)).toBeNull();
  });

  it.each(['', '{', 'null', '[]', '{"run":1}', '<html>', '{"run":{},"outcome":{"accuracy":1}}'])(
    'are not read from a damaged file: %j',
    async (text) => {
      const { store, file } = await kept();
      await writeFile(file, text);
      expect(await store.find('speed', setting)).toBeNull();
    },
  );

  it('are not read from a truncated file', async () => {
    const { store, file } = await kept();
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, text.length / 2));
    expect(await store.find('speed', setting)).toBeNull();
  });

  it('are deleted by clear()', async () => {
    const { store } = await kept();
    await store.clear();
    expect(await store.find('speed', setting)).toBeNull();
  });
});
