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

describe('a JSON file', () => {
  it('contains the value that was written', async () => {
    const file = join(folder, 'x.json');
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await writeJson(file, value);
        expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('has each array of numbers on one line, and strings unchanged', async () => {
    const file = join(folder, 'x.json');
    await writeJson(file, { x: [1, -2.5, 1e-7], s: '[ 1, 2 ]', nested: [[1], [2, 3]] });
    expect(await readFile(file, 'utf8')).toBe(
      '{\n "x": [1, -2.5, 1e-7],\n "s": "[ 1, 2 ]",\n "nested": [\n  [1],\n  [2, 3]\n ]\n}\n',
    );
  });
});

describe('a file that cannot be written', () => {
  it('is an error with the reason, and the old file remains', async () => {
    const file = join(folder, 'x');
    await writeFile(file, 'before');
    const failing = writeAtomically(join(file, 'y'), 'after');
    await expect(failing).rejects.toThrow(DataError);
    await expect(failing).rejects.toThrow(
      /^write: .*y cannot be written: ENOTDIR.*\. Hint: free disk space, or/,
    );
    expect(await readFile(file, 'utf8')).toBe('before');
  });

  it('leaves no temporary file', async () => {
    await expect(writeAtomically(folder, 'x')).rejects.toThrow('cannot be written');
    expect(await readdir(folder)).toEqual([]);
    expect((await readdir(join(folder, '..'))).filter((name) => name.endsWith(`${process.pid}.tmp`))).toEqual(
      [],
    );
  });
});
