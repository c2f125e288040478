import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomically } from '../cli/write-atomically.ts';
import { writeJson } from '../cli/write-json.ts';
import { DataError } from '../../../src/index.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'gammabeta-json-'))));
afterEach(() => rm(folder, { recursive: true }));

describe('a file of JSON', () => {
  it('is what was written, whatever it is', async () => {
    const file = join(folder, 'x.json');
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await writeJson(file, value);
        expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('has an array of numbers on one line, and no string changed', async () => {
    const file = join(folder, 'x.json');
    await writeJson(file, { x: [1, -2.5, 1e-7], s: '[ 1, 2 ]', nested: [[1], [2, 3]] });
    expect(await readFile(file, 'utf8')).toBe(
      '{\n "x": [1, -2.5, 1e-7],\n "s": "[ 1, 2 ]",\n "nested": [\n  [1],\n  [2, 3]\n ]\n}\n',
    );
  });
});

describe('a file that cannot be written', () => {
  it('is an error that says why, and what was there stays', async () => {
    const file = join(folder, 'x');
    await writeFile(file, 'before');
    const failing = writeAtomically(join(file, 'y'), 'after');
    await expect(failing).rejects.toThrow(DataError);
    await expect(failing).rejects.toThrow(/^write: .*y cannot be written: ENOTDIR.*\. Hint: make room, or/);
    expect(await readFile(file, 'utf8')).toBe('before');
  });

  it('leaves nothing beside it', async () => {
    await expect(writeAtomically(folder, 'x')).rejects.toThrow('cannot be written');
    expect(await readdir(folder)).toEqual([]);
    expect((await readdir(join(folder, '..'))).filter((name) => name.endsWith(`${process.pid}.tmp`))).toEqual(
      [],
    );
  });
});
