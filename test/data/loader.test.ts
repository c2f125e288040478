import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataLoader, type Batch, type DataLoaderOptions } from '../../src/data/loader.ts';
import { permutation } from '../../src/data/shuffle.ts';
import { ValueError } from '../../src/tensor/errors.ts';
import { streams } from '../../src/tensor/random.ts';
import { manualSeed } from '../../src/tensor/seed.ts';
import { numbered, refusal } from './helpers.ts';

/** The labels of an epoch, in the order of its batches. */
const labelsOf = (batches: Iterable<Batch>) => [...batches].flatMap((batch) => [...batch.labels]);

const loaders = fc.record({
  n: fc.integer({ min: 1, max: 40 }),
  size: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 50 }),
  shuffle: fc.boolean(),
  seed: fc.maxSafeNat(),
});

describe('an epoch of a DataLoader', () => {
  it('contains each example once, with its label; all batches but the last have the same size', () => {
    fc.assert(
      fc.property(loaders, ({ n, size, batchSize, shuffle, seed }) => {
        const loader = new DataLoader(numbered(n, [size]), { batchSize, shuffle, seed });
        const batches = [...loader];
        expect(batches).toHaveLength(loader.length);
        for (const [k, batch] of batches.entries()) {
          const rows = k < batches.length - 1 ? batchSize : n - k * batchSize;
          expect(batch.shape).toEqual([rows, size]);
          expect([...batch.x]).toEqual(
            [...batch.labels].flatMap((label) => new Array<number>(size).fill(label)),
          );
        }
        const labels = labelsOf(batches);
        if (shuffle) labels.sort((a, b) => a - b);
        expect(labels).toEqual([...numbered(n).labels]);
      }),
    );
  });

  it('is the same if its batches are not kept and share their memory', async () => {
    await fc.assert(
      fc.asyncProperty(loaders, async ({ n, size, batchSize, shuffle, seed }) => {
        const [kept, passing] = [0, 1].map(
          () => new DataLoader(numbered(n, [size]), { batchSize, shuffle, seed }),
        );
        const seen: Batch[] = [];
        const memory = new Set<ArrayBufferLike>();
        for await (const { x, ...rest } of passing.passing()) {
          memory.add(x.buffer);
          seen.push({ x: x.slice(), ...rest });
        }
        expect(seen).toEqual([...kept]);
        expect(memory.size).toBe(1);
        expect(passing.epoch).toBe(1);
      }),
    );
  });

  it('is iterated by the iterator of a subclass', async () => {
    class Doubled extends DataLoader {
      override *[Symbol.iterator](): Generator<Batch, undefined> {
        for (const batch of [...new DataLoader(this.dataset, { batchSize: this.batchSize })]) {
          yield { ...batch, x: batch.x.map((value) => 2 * value) };
        }
      }
    }
    const values: number[] = [];
    for await (const { x } of new Doubled(numbered(3), { batchSize: 2 }).passing()) values.push(...x);
    expect(values).toEqual([2, 4, 6]);
  });

  it('has the targets of each example, if these have a shape', () => {
    const data = {
      ...numbered(5),
      labels: Float32Array.from({ length: 10 }, (_, i) => i),
      targetShape: [2, 1],
    };
    const loader = new DataLoader(data, { batchSize: 2, shuffle: true, seed: 1 });
    for (const { x, labels, targetShape } of loader) {
      expect(targetShape).toEqual([2, 1]);
      expect([...labels]).toEqual([...x].flatMap((value) => [2 * value - 2, 2 * value - 1]));
    }
    expect([...new DataLoader(numbered(1), { batchSize: 1 })][0]).not.toHaveProperty('targetShape');
  });

  it('has the order that permutation gives', () => {
    const loader = new DataLoader(numbered(20), { batchSize: 3, shuffle: true, seed: 5 });
    for (const epoch of [0, 1, 2]) {
      expect(labelsOf(loader)).toEqual(Array.from(permutation(20, 5, epoch), (row) => row + 1));
    }
  });

  it('has the same batches with for await as with for', async () => {
    const options = { batchSize: 3, shuffle: true, seed: 9 };
    const batches: Batch[] = [];
    for await (const batch of new DataLoader(numbered(10, [2]), options)) batches.push(batch);
    expect(batches).toEqual([...new DataLoader(numbered(10, [2]), options)]);
  });

  it('leaves out a short last batch under dropLast, and only a short one', () => {
    const sizes = (n: number) =>
      [...new DataLoader(numbered(n), { batchSize: 3, dropLast: true })].map(({ shape }) => shape[0]);
    expect(sizes(8)).toEqual([3, 3]);
    expect(sizes(9)).toEqual([3, 3, 3]);
    expect(new DataLoader(numbered(8), { batchSize: 3, dropLast: true }).length).toBe(2);
    expect(new DataLoader(numbered(8), { batchSize: 3 }).length).toBe(3);
  });
});

describe('the batches of a DataLoader', () => {
  it('are divided by the divisor, and rounded to float32 once', () => {
    const x = Uint8Array.from({ length: 256 }, (_, i) => i);
    const [batch] = new DataLoader(
      { x, shape: [16, 16], labels: new Uint8Array(1), divisor: 255 },
      { batchSize: 1 },
    );
    expect(batch.x).toEqual(Float32Array.from(x, (byte) => byte / 255));
    expect(batch.shape).toEqual([1, 16, 16]);
  });

  it('are (x / divisor − mean) / deviation, rounded to float32 once', () => {
    const scale = { divisor: 255, mean: 0.1307, deviation: 0.3081 };
    const wanted = (value: number) => (value / 255 - 0.1307) / 0.3081;
    for (const x of [Uint8Array.from({ length: 256 }, (_, i) => i), Float64Array.of(0, 0.1, 255, 1e6)]) {
      const data = { x, shape: [x.length], labels: new Uint8Array(1), ...scale };
      const [batch] = new DataLoader(data, { batchSize: 1 });
      expect(batch.x).toEqual(Float32Array.from(x, wanted));
    }
    for (const [part, first] of [
      [{ mean: 1 }, 2],
      [{ deviation: 2 }, 1.5],
    ] as const) {
      const data = { x: Uint8Array.of(3), shape: [], labels: new Uint8Array(1), ...part };
      expect([...new DataLoader(data, { batchSize: 1 })][0].x[0]).toBe(first);
    }
  });

  it('have one mean and one deviation for each value, if the dataset has arrays of them', () => {
    for (const x of [Uint8Array.of(1, 2, 3, 250), Float64Array.of(0.1, 2, 3, 1e9)]) {
      const scale = { divisor: 2, mean: [0.1, 7], deviation: 3 };
      const [batch] = new DataLoader(
        { x, shape: [2], labels: new Uint8Array(2), ...scale },
        { batchSize: 2 },
      );
      expect(batch.x).toEqual(Float32Array.from(x, (value, i) => (value / 2 - scale.mean[i % 2]) / 3));
    }
  });

  it('of CIFAR-10 with mean and deviation 0.5 are from −1 to 1', () => {
    const data = { x: Uint8Array.of(0, 255), shape: [2], labels: new Uint8Array(1), divisor: 255 };
    const [batch] = new DataLoader({ ...data, mean: 0.5, deviation: 0.5 }, { batchSize: 1 });
    expect([...batch.x]).toEqual([-1, 1]);
  });

  it('are not overwritten, so all batches of an epoch can be kept', () => {
    const batches = [...new DataLoader(numbered(4), { batchSize: 2 })];
    expect(batches.map(({ x }) => [...x])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(new Set(batches.map(({ x }) => x.buffer)).size).toBe(2);
  });

  it.each([
    new Int8Array([2, 1]),
    new Uint8Array([2, 1]),
    new Uint8ClampedArray([2, 1]),
    new Int16Array([2, 1]),
    new Uint16Array([2, 1]),
    new Int32Array([2, 1]),
    new Uint32Array([2, 1]),
    new Float32Array([2.5, 1]),
    new Float64Array([0.1, 1]),
  ])('have labels in the same kind of array as the dataset: %o', (labels) => {
    for (const divisor of [1, 2]) {
      const data = { x: labels, shape: [], labels, divisor };
      const [batch] = new DataLoader(data, { batchSize: 2 });
      expect(batch.labels).toEqual(labels);
      expect(batch.x).toEqual(Float32Array.from(labels, (label) => label / divisor));
      expect(batch.shape).toEqual([2]);
    }
  });

  it('share no memory with the dataset, even if it is a Buffer', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const [batch] = new DataLoader(
      { x: bytes, shape: [1], labels: bytes },
      { batchSize: 4, shuffle: true, seed: 1 },
    );
    batch.labels.fill(9);
    batch.x.fill(9);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
  });
});

describe('the seed and the epoch of a DataLoader', () => {
  const make = (options: Partial<DataLoaderOptions> = {}) =>
    new DataLoader(numbered(30), { batchSize: 7, shuffle: true, seed: 3, ...options });

  it('determine the order', () => {
    const [a, b] = [make(), make()];
    const first = labelsOf(a);
    expect(labelsOf(b)).toEqual(first);
    const second = labelsOf(a);
    expect(second).not.toEqual(first);
    expect(labelsOf(b)).toEqual(second);
    expect(labelsOf(make({ seed: 4 }))).not.toEqual(first);
  });

  it('resume: after setting the epoch, the batches are those of an uninterrupted run', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 5 }), (seed, epoch) => {
        const through = make({ seed });
        for (let e = 0; e < epoch; e++) labelsOf(through);
        const resumed = make({ seed });
        resumed.epoch = through.epoch;
        expect(labelsOf(resumed)).toEqual(labelsOf(through));
        expect(resumed.epoch).toBe(epoch + 1);
      }),
    );
  });

  it('count epochs when they start, including those that a break ends', async () => {
    const loader = make();
    expect(loader.epoch).toBe(0);
    for (const batch of loader) {
      expect([loader.epoch, batch.shape[0]]).toEqual([1, 7]);
      break;
    }
    for await (const batch of loader) {
      expect([loader.epoch, batch.shape[0]]).toEqual([2, 7]);
      break;
    }
    expect(loader.epoch).toBe(2);
  });

  it('keep two loops over one loader apart', () => {
    const loader = make();
    const [outer, inner] = [loader[Symbol.iterator](), loader[Symbol.iterator]()];
    const taken = [outer.next(), inner.next()].map(({ value }) => value?.labels);
    const fresh = make();
    expect([labelsOf(fresh).slice(0, 7), labelsOf(fresh).slice(0, 7)]).toEqual(
      taken.map((l) => [...(l ?? [])]),
    );
  });

  it('are drawn from the stream of manualSeed if no seed is given, and only if the loader shuffles', () => {
    manualSeed(11);
    const [first, second] = [streams.shuffling.uint32(), streams.shuffling.uint32()];
    manualSeed(11);
    const data = numbered(3);
    expect(new DataLoader(data, { batchSize: 1, shuffle: true }).seed).toBe(first);
    expect(new DataLoader(data, { batchSize: 1, shuffle: true, seed: 5 }).seed).toBe(5);
    expect(new DataLoader(data, { batchSize: 1 }).seed).toBe(0);
    expect(new DataLoader(data, { batchSize: 1, shuffle: true }).seed).toBe(second);
    manualSeed(0);
    expect(new DataLoader(data, { batchSize: 1, shuffle: true }).seed).toBe(1_110_350_992);
  });

  it.each([-1, 0.5, NaN, 2 ** 32])('refuse %s as the epoch', (epoch) => {
    const loader = make();
    const error = refusal(() => (loader.epoch = epoch), ValueError);
    expect(error.problem).toBe(`epoch is ${epoch}`);
    expect(loader.epoch).toBe(0);
  });
});

describe('peek', () => {
  const copies = async (batches: Iterable<Batch> | AsyncIterable<Batch>): Promise<Batch[]> => {
    const seen: Batch[] = [];
    for await (const { x, ...rest } of batches) seen.push({ ...rest, x: x.slice() });
    return seen;
  };

  it('has the batches of the next epoch, and does not start it', async () => {
    await fc.assert(
      fc.asyncProperty(loaders, fc.integer({ min: 0, max: 3 }), async ({ n, ...options }, epoch) => {
        const loader = new DataLoader(numbered(n), {
          batchSize: options.batchSize,
          shuffle: options.shuffle,
          seed: options.seed,
        });
        loader.epoch = epoch;
        const peeked = await copies(loader.peek());
        expect(loader.epoch).toBe(epoch);
        expect(peeked).toEqual([...loader]);
      }),
    );
  });

  class Doubled extends DataLoader {
    override *[Symbol.iterator](): Generator<Batch, undefined> {
      for (const batch of super[Symbol.iterator]()) yield { ...batch, x: batch.x.map((value) => 2 * value) };
    }
  }
  class Delayed extends DataLoader {
    override async *[Symbol.asyncIterator](): AsyncGenerator<Batch, undefined> {
      for (const batch of super[Symbol.iterator]()) {
        await Promise.resolve();
        yield batch;
      }
    }
  }

  it.each([Doubled, Delayed])('uses the iterator of a subclass', async (Loader) => {
    const make = () => new Loader(numbered(7), { batchSize: 2, shuffle: true, seed: 3 });
    const [peeked, iterated] = [make(), make()];
    expect(await copies(peeked.peek())).toEqual(await copies(iterated));
    expect(peeked.epoch).toBe(0);
  });

  it.each([DataLoader, Doubled, Delayed])('leaves alone an epoch that starts meanwhile', async (Loader) => {
    const loader = new Loader(numbered(7), { batchSize: 2, shuffle: true, seed: 3 });
    let k = 0;
    for await (const { shape } of loader.peek()) {
      expect(shape[0]).toBeGreaterThan(0);
      if (k++ === 1) expect((await copies(loader)).length).toBe(4);
    }
    expect(loader.epoch).toBe(1);
  });

  it('lets the iterator of a subclass end when the loop ends', async () => {
    let ended = 0;
    class Closing extends DataLoader {
      override *[Symbol.iterator](): Generator<Batch, undefined> {
        try {
          yield* super[Symbol.iterator]();
        } finally {
          ended++;
        }
      }
    }
    for await (const { shape } of new Closing(numbered(7), { batchSize: 2 }).peek()) {
      expect(shape).toEqual([2, 1]);
      break;
    }
    expect(ended).toBe(1);
  });
});

describe('a DataLoader refuses', () => {
  const make = (options: Record<string, unknown>) => () =>
    new DataLoader(numbered(5), { batchSize: 2, ...options });
  const refused = (options: Record<string, unknown>) => refusal(make(options), ValueError);

  it.each([0, -1, 1.5, NaN, undefined])('a batchSize of %s', (batchSize) => {
    expect(refused({ batchSize }).problem).toBe(`batchSize is ${batchSize}`);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('a seed of %s', (seed) => {
    expect(refused({ seed }).message).toContain(`DataLoader: seed is ${seed}`);
  });

  it.each(['yes', 1, null])('%s as shuffle or dropLast', (value) => {
    expect(refused({ shuffle: value }).hint).toBe('use true or false');
    expect(refused({ dropLast: value }).hint).toBe('use true or false');
  });

  it('no options, and others than an object', () => {
    for (const options of [undefined, null, 32]) {
      const error = refusal(() => new DataLoader(numbered(5), options as never), ValueError);
      expect(error.hint).toContain('{ batchSize: value }');
    }
  });

  it('to drop the only batch, naming both numbers', () => {
    const error = refusal(make({ batchSize: 6, dropLast: true }));
    expect(error.problem).toBe('dropLast leaves no batch: batchSize 6, 5 examples');
    expect(error.hint).toContain('at most 5');
    expect(new DataLoader(numbered(5), { batchSize: 5, dropLast: true }).length).toBe(1);
  });

  it('unknown options, and lists the known ones', () => {
    expect(refused({ batchsize: 2 }).message).toBe(
      'DataLoader: unknown option: batchsize. Hint: known options: batchSize, shuffle, seed, dropLast',
    );
    expect(refused({ a: 1, b: 2 }).problem).toBe('unknown option: a, b');
  });

  it('a dataset whose parts do not fit each other', () => {
    const data = { ...numbered(5), labels: new Uint8Array(4) };
    expect(refusal(() => new DataLoader(data, { batchSize: 2 })).problem).toContain('4 labels, 5 examples');
  });
});
