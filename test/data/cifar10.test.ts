import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cifar10Classes, parseCifar10 } from '../../src/index.ts';
import { records } from './cifar10-records.ts';
import { refusal } from './helpers.ts';

/** The folder with the subset, if this machine has it. */
const real = [process.env.CIFAR10_DIR, '../shared/data/cifar10'].find(
  (dir) => dir && existsSync(`${dir}/test_batch.bin.gz`),
);

const text = (what: string) => new TextEncoder().encode(what);

describe('parseCifar10', () => {
  it('reads labels and planes, and shares no memory', () => {
    const labels = fc.array(fc.nat(9), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(labels, fc.nat(7), (given, offset) => {
        const padded = new Uint8Array(offset + given.length * 3073);
        padded.set(records(given), offset);
        const bytes = padded.subarray(offset); // a view, as Buffers are
        const { x, labels, shape, divisor } = parseCifar10(bytes);
        expect([...labels]).toEqual(given);
        expect(x).toHaveLength(given.length * 3072);
        expect([shape, divisor]).toEqual([[3072], 255]);
        const image = given.length - 1;
        for (const at of [0, 1023, 1024, 2048, 3071]) {
          expect(x[image * 3072 + at]).toBe(bytes[image * 3073 + 1 + at]);
        }
        bytes.fill(0);
        expect([...labels]).toEqual(given);
      }),
    );
  });

  it('names ten classes', () => {
    expect(cifar10Classes).toHaveLength(10);
    expect([cifar10Classes[0], cifar10Classes[9]]).toEqual(['airplane', 'truck']);
  });

  it.each([
    ['an empty file', new Uint8Array(), /^the file is empty: 0 bytes$/],
    ['HTML', text('<!DOCTYPE html><html>'), /^this is an HTML page, not a file of CIFAR-10/],
    ['HTML after white space', text('\n\t <html lang="en">'), /^this is an HTML page/],
    ['HTML after a byte order mark', text('\ufeff<HTML>'), /^this is an HTML page/],
    ['gzip', gzipSync(records([1])), /^these bytes are still compressed: they begin with 1f 8b/],
    ['the archive', tarHeader(), /^this is the tar archive/],
    ['a pickle', new Uint8Array([0x80, 2, 0x7d]), /^this is a Python pickle/],
    [
      'CIFAR-100',
      new Uint8Array(2 * 3074),
      /^these are records of 3074 bytes, as CIFAR-100 has them: 6148 bytes$/,
    ],
    ['a label of 10', records([0, 9, 10]), /^label 2 of 3 is not a class: 10$/],
    ['a label of 255', records([255]), /^label 0 of 1 is not a class: 255$/],
    [
      'MNIST',
      new Uint8Array(7_840_016),
      /^the file does not consist of records of 3073 bytes: 7840016 bytes are 2551 records/,
    ],
  ] as const)('refuses %s', (_, bytes, message) => {
    const { op, problem } = refusal(() => parseCifar10(bytes));
    expect(op).toBe('parseCifar10');
    expect(problem).toMatch(message);
  });

  it('refuses every truncation within a record', () => {
    const file = records([3, 4]);
    for (const length of [1, 2, 3072, 3074, 4000, 6145]) {
      const { problem } = refusal(() => parseCifar10(file.subarray(0, length)));
      expect(problem).toMatch(/records of 3073 bytes|records of 3074 bytes, as CIFAR-100/);
    }
  });

  it('accepts a label of 9 (a tab) and a pixel of 60 ("<"), although HTML may begin so', () => {
    const file = records([9]);
    file[1] = 0x3c;
    expect(parseCifar10(file).x[0]).toBe(0x3c);
  });

  it.skipIf(real === undefined)('reads the real subset, in which each class is a tenth', async () => {
    const file = gunzipSync(await readFile(`${real}/test_batch.bin.gz`));
    const { labels } = parseCifar10(file);
    expect(labels).toHaveLength(1000);
    for (let k = 0; k < 10; k++) expect(labels.filter((label) => label === k)).toHaveLength(100);
  });
});

/** The parts of a header by which a tar archive is recognized. */
function tarHeader(): Uint8Array {
  const header = new Uint8Array(1024);
  header.set(text('cifar-10-batches-bin/'), 0);
  header.set(text('ustar'), 257);
  return header;
}
