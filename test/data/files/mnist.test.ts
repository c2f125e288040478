import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadMnist } from '../../../src/data/files/mnist.ts';
import { ValueError } from '../../../src/tensor/errors.ts';
import { encodeIdx } from '../encode-idx.ts';
import { folder, rejection } from '../helpers.ts';

const images = (n: number, rows = 28) =>
  encodeIdx({
    shape: [n, rows, 28],
    dtype: 'uint8',
    data: Uint8Array.from({ length: n * rows * 28 }, (_, i) => i),
  });
const labels = (...data: number[]) =>
  encodeIdx({ shape: [data.length], dtype: 'uint8', data: Uint8Array.from(data) });

const names = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

/** Four small files of the right form, with changes. */
const files = (changes: Partial<Record<(typeof names)[number], Uint8Array | string>> = {}) => ({
  'train-images-idx3-ubyte': images(3),
  'train-labels-idx1-ubyte': labels(5, 0, 9),
  't10k-images-idx3-ubyte': images(2),
  't10k-labels-idx1-ubyte': labels(7, 2),
  ...changes,
});

/** The folder with the complete MNIST, if this machine has it. */
const real = [process.env.MNIST_DIR, '../shared/data/mnist'].find((dir) => dir && existsSync(dir));

/** The error of loadMnist for a folder with these files. */
const refused = async (changes: Parameters<typeof files>[0], verify = true) =>
  rejection(loadMnist({ dir: await folder(files(changes)), verify }));

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('loadMnist without checksums', () => {
  const expectSmallSet = async (dir: string) => {
    const { train, test } = await loadMnist({ dir, verify: false });
    expect(train).toMatchObject({ shape: [784], divisor: 255, labels: new Uint8Array([5, 0, 9]) });
    expect(train.x).toEqual(Uint8Array.from({ length: 3 * 784 }, (_, i) => i));
    expect(test).toMatchObject({ shape: [784], divisor: 255, labels: new Uint8Array([7, 2]) });
    expect(test.x).toHaveLength(2 * 784);
  };

  it('reads other data of the same form', async () => {
    await expectSmallSet(await folder(files()));
  });

  it.each([
    ['gzipped', (name: string) => `${name}.gz`, gzipSync],
    ['under the names with a dot', (name: string) => name.replace('-idx', '.idx'), (b: Uint8Array) => b],
    ['with a dot and gzipped', (name: string) => `${name.replace('-idx', '.idx')}.gz`, gzipSync],
    ['decompressed, but with names in .gz', (name: string) => `${name}.gz`, (b: Uint8Array) => b],
  ])('reads files %s', async (_, rename, pack) => {
    const small = Object.entries(files()).map(([name, bytes]) => [rename(name), pack(Buffer.from(bytes))]);
    await expectSmallSet(await folder(Object.fromEntries(small) as Record<string, Uint8Array>));
  });

  it('reads from the folder that MNIST_DIR names', async () => {
    vi.stubEnv('MNIST_DIR', await folder(files()));
    expect((await loadMnist({ verify: false })).train.labels).toHaveLength(3);
  });

  it('refuses labels above 9, and different numbers of images and labels', async () => {
    const label = await refused({ 'train-labels-idx1-ubyte': labels(1, 2, 10) }, false);
    expect(label.problem).toMatch(/train-labels-idx1-ubyte: label 2 of 3 is not a class: 10$/);
    const count = await refused({ 't10k-labels-idx1-ubyte': labels(1) }, false);
    expect(count.problem).toBe('test: the numbers of labels and examples differ: 1 labels, 2 examples');
    expect(count.op).toBe('loadMnist');
  });
});

describe('loadMnist reports what is wrong', () => {
  it('if no folder is named: with a hint what to do', async () => {
    for (const dir of [undefined, '']) {
      vi.stubEnv('MNIST_DIR', dir);
      const { message } = await rejection(loadMnist());
      for (const name of names) expect(message).toContain(`${name}.gz`);
      expect(message).toContain('https://storage.googleapis.com/cvdf-datasets/mnist/');
      expect(message).toContain('https://ossci-datasets.s3.amazonaws.com/mnist/');
      expect(message).toContain('MNIST_DIR=');
      expect(message).toContain('loadMnist({ dir })');
    }
  });

  it('if the folder does not exist, or is a file', async () => {
    const dir = await folder({ file: 'text' });
    for (const path of [join(dir, 'nowhere'), join(dir, 'file')]) {
      const error = await rejection(loadMnist({ dir: path }));
      expect(error.problem).toContain(`the folder ${path} cannot be read`);
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  it('if files are missing: it lists all of them', async () => {
    const dir = await folder({ 't10k-images-idx3-ubyte.gz': '' });
    await mkdir(join(dir, names[0]));
    await writeFile(join(dir, names[0], names[0]), images(3));
    const { problem, hint } = await rejection(loadMnist({ dir }));
    expect(problem).toBe(
      `missing in ${dir}: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-labels-idx1-ubyte (each as it is, or with .gz)`,
    );
    expect(hint).toContain('https://');
  });

  it('if a file is an HTML page, gzipped or not', async () => {
    const page = '<!DOCTYPE html><html><body>404</body></html>';
    for (const content of [page, gzipSync(page)]) {
      const { problem } = await refused({ 't10k-labels-idx1-ubyte': content });
      expect(problem).toMatch(/t10k-labels-idx1-ubyte: this is an HTML page/);
    }
  });

  it('if a file is truncated, as IDX or as gzip', async () => {
    const idx = await refused({ 'train-images-idx3-ubyte': images(3).subarray(0, 1000) });
    expect(idx.problem).toMatch(/train-images-idx3-ubyte: .* truncated .* expected 2368 bytes, found 1000$/);
    const gzip = await refused({ 'train-images-idx3-ubyte': gzipSync(images(3)).subarray(0, 100) });
    expect(gzip.problem).toMatch(/train-images-idx3-ubyte cannot be read: unexpected end of file/);
    const empty = await refused({ 'train-images-idx3-ubyte': '' });
    expect(empty.problem).toMatch(/train-images-idx3-ubyte: .* truncated .* found 0$/);
  });

  it('if gzip files are bombs, in little memory: each holds more than its header announces', async () => {
    const header = labels(5, 0, 9).subarray(0, 8);
    const bomb = gzipSync(Buffer.concat([header, Buffer.alloc(2 ** 28)]), { level: 9 }); // 256 MB in 260 kB
    const dir = await folder(Object.fromEntries(names.map((name) => [`${name}.gz`, bomb])));
    const before = process.memoryUsage().rss;
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 1);
    for (const verify of [true, false]) {
      const { problem } = await rejection(loadMnist({ dir, verify }));
      expect(problem).toMatch(
        /train-images-idx3-ubyte\.gz cannot be read: unpacked, it has more than the expected 11 bytes$/,
      );
    }
    clearInterval(timer);
    expect(peak - before).toBeLessThan(2 ** 27);
  });

  it('if a gzip file is larger than all files of MNIST, whatever its header announces', async () => {
    const announced = images(0);
    announced.set([0, 1, 0, 0], 4); // 65,536 images
    const bomb = gzipSync(Buffer.concat([announced, Buffer.alloc(65_536 * 784)]), { level: 1 });
    const { problem } = await refused({ 't10k-images-idx3-ubyte': bomb });
    expect(problem).toMatch(/cannot be read: unpacked, it has more than the expected 47040016 bytes$/);
  });

  it('if a gzip file is damaged', async () => {
    const bytes = gzipSync(labels(5, 0, 9));
    bytes[bytes.length - 6] ^= 1;
    const error = await refused({ 'train-labels-idx1-ubyte': bytes });
    expect(error.problem).toMatch(/train-labels-idx1-ubyte cannot be read: incorrect data check/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('if images and labels are swapped', async () => {
    const both = { 'train-images-idx3-ubyte': labels(5, 0, 9), 'train-labels-idx1-ubyte': images(3) };
    const first = await refused(both);
    expect(first.problem).toMatch(
      /train-images-idx3-ubyte: expected images, uint8 \[n, 28, 28\], found labels, uint8 \[3\]$/,
    );
    expect(first.hint).toContain('swapped');
    const second = await refused({ 'train-labels-idx1-ubyte': images(3) });
    expect(second.problem).toMatch(/expected labels, uint8 \[n\], found images, uint8 \[3, 28, 28\]$/);
  });

  it('if images have another size or another type', async () => {
    const size = await refused({ 'train-images-idx3-ubyte': images(3, 32) }, false);
    expect(size.problem).toMatch(/expected images, uint8 \[n, 28, 28\], found uint8 \[3, 32, 28\]$/);
    const floats = encodeIdx({ shape: [3], dtype: 'float32', data: new Float32Array(3) });
    const type = await refused({ 'train-labels-idx1-ubyte': floats }, false);
    expect(type.problem).toMatch(/expected labels, uint8 \[n\], found float32 \[3\]$/);
  });

  it('if the contents are not those of MNIST: the file, and both checksums', async () => {
    const { message } = await refused({ 'train-images-idx3-ubyte': images(3) });
    expect(message).toContain("train-images-idx3-ubyte is not MNIST's");
    expect(message).toContain('ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db');
    expect(message).toContain(createHash('sha256').update(images(3)).digest('hex'));
    expect(message).toContain('verify: false');
  });

  it.skipIf(real === undefined)('if a file is another one of MNIST: it names that', async () => {
    const dir = await folder({});
    for (const name of names) {
      const source = name === names[0] ? names[2] : name;
      await copyFile(join(real ?? '', `${source}.gz`), join(dir, `${name}.gz`));
    }
    expect((await rejection(loadMnist({ dir }))).problem).toMatch(/, which is t10k-images-idx3-ubyte$/);
  });

  it('if several files are wrong: always the first of them', async () => {
    for (let k = 0; k < 5; k++) {
      const { problem } = await refused({
        'train-images-idx3-ubyte': '',
        't10k-labels-idx1-ubyte': '<',
      });
      expect(problem).toContain('train-images-idx3-ubyte');
    }
  });

  it('if an option is unknown', async () => {
    const options = { dir: '/', downlaod: true };
    expect((await rejection(loadMnist(options), ValueError)).problem).toBe('unknown option: downlaod');
  });
});

describe('the real MNIST', () => {
  it.skipIf(real === undefined)(
    'has the known sizes, first labels, mean and standard deviation',
    async () => {
      const { train, test } = await loadMnist({ dir: real ?? '' });
      expect([train.labels.length, test.labels.length]).toEqual([60_000, 10_000]);
      expect([train.x.length, test.x.length]).toEqual([60_000 * 784, 10_000 * 784]);
      expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
      expect([...test.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
      // The mean and the standard deviation that MNIST is usually normalized with.
      let [sum, squares] = [0, 0];
      for (const byte of train.x) {
        sum += byte / 255;
        squares += (byte / 255) ** 2;
      }
      const mean = sum / train.x.length;
      expect(mean).toBeCloseTo(0.1307, 4);
      expect(Math.sqrt(squares / train.x.length - mean ** 2)).toBeCloseTo(0.3081, 4);
    },
  );
});
