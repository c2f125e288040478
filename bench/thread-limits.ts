/**
 * What the machine allows several threads: measured in the same run as the kernels and steps, with the same code for
 * starting and joining threads.
 */
import { builds, openWasm } from '../src/tensor/device/wasm/open-wasm.ts';
import { WasmStorage } from '../src/tensor/device/wasm/residency.ts';
import type { Pool } from '../src/tensor/device/wasm/threads/pool.ts';
import { makeTeam } from '../src/tensor/device/wasm/threads/team.ts';
import { seededStream } from '../src/tensor/seed.ts';
import { mean, median, quantile, type Summary } from './statistics.ts';
import { formOf, latencyOf, type Subject, timeInTurns, type Turns } from './thread-timing.ts';

const FLOAT = 4;
const DOUBLE = 8;

/** What a number of threads reach together, compared with one. */
export interface Limits {
  /** The time to give away a kernel that does almost nothing, and to hear back, in microseconds. */
  readonly latency: number;
  /** How many times as fast independent products are computed, one per thread. */
  readonly products: Summary;
  /** The same for batch normalizations [1024, 256], whose arrays fill the cache of a core. */
  readonly norms: Summary;
  /** How many times as fast two threads compute the first layer of a step at batch 32, without JavaScript in between. */
  readonly weights: Summary;
  /** How many times as fast arrays are added that no cache holds. */
  readonly sums: Summary;
  readonly reading: Reading;
  readonly interruptions: Interruptions;
}

/** A limit that bounds a workload. */
export type Limit = 'products' | 'norms' | 'weights';

/** In GB/s: how fast a thread reads what it has written itself, and what another one has written. */
export interface Reading {
  readonly own: number;
  readonly others: number;
}

/** The share of the time for which the machine lets something else run, while one thread computes and while all do. */
export interface Interruptions {
  readonly one: number;
  readonly all: number;
}

/** Floats per cache line. */
const LINE = 16;
/** Numbers of an array that is added. */
const LARGE = 2 ** 22;
/** The sides of a product. */
const SIDE = 512;
/** Numbers for the first layer of a step. */
const LAYER = 2 ** 20;

/** The limits, and what measures them. */
export interface LimitsOfMachine {
  readonly measured: Limits;
  /** The work that measures a limit, to time it in turns with other work. */
  readonly subjects: Readonly<Record<Limit, Subject>>;
  readonly close: () => void;
}

/** Measures the limits on a device of its own, which `close` ends. */
export async function openLimits(count: number, turns: Turns): Promise<LimitsOfMachine> {
  const device = openWasm(builds, { count, reason: 'benchmark' });
  device.gather(makeTeam);
  const { pool } = device;
  if (pool === null) throw new Error('shared memory is refused');
  await pool.started();
  pool.pauses = false;
  // One array, because several might be moved. The first layer has a part of its own, which nothing else changes.
  const stream = seededStream(1);
  const size = 3 * Math.max(LARGE, count * SIDE * SIDE);
  const room = Float32Array.from({ length: size + LAYER }, () =>
    stream.uniform() < ZEROS ? 0 : stream.uniform(),
  );
  const storage = device.upload(room, 'float32');
  if (!(storage instanceof WasmStorage)) throw new Error('not an array of wasm');
  const { address } = storage;
  const subject = (work: () => void, threads = count): Subject => ({ pool, counts: [threads], work });
  const subjects = {
    products: subject(productsOf(pool, address, count, SIDE)),
    norms: subject(normsOf(pool, address, count)),
    weights: subject(firstLayer(pool, address + FLOAT * size), 2),
  };
  const sums = subject(largeSums(pool, address));
  const speedup = (of: Subject): Summary => timeInTurns(of, turns)[1].speedup;
  const measured: Limits = {
    latency: latencyOf(pool, turns.rounds * 200),
    weights: speedup(subjects.weights),
    products: speedup(subjects.products),
    norms: speedup(subjects.norms),
    sums: speedup(sums),
    reading: readingRates(pool, address),
    interruptions: interruptionsOf(pool, address, count, turns),
  };
  const close = (): void => {
    pool.stop();
  };
  return { measured, subjects, close };
}

/** A share that is worth giving away, whatever it does: in picoseconds. */
const ENOUGH = 1e12;

/**
 * `count` products n³, with matrices of their own: one after the other on one thread, otherwise one per thread. Nothing is
 * shared but the machine, so the speed-up is the number of threads if the cores keep their speed.
 */
function productsOf(pool: Pool, base: number, count: number, n: number): () => void {
  const [y, a, b] = [0, 1, 2].map((k) => base + k * FLOAT * count * n * n);
  const form = formOf(pool, 'productPart');
  const tiles = 3;
  // All rows of all products: the argument b moves with them, by one matrix per n rows.
  const steps = [0, FLOAT * n, FLOAT * n, 0, 0, FLOAT * n];
  const many = [tiles, y, a, n, 1, b, n, 1, count * n, n, n, n];
  const one = () => form.run(tiles, y, a, n, 1, b, n, 1, n, n, n, n);
  return () => {
    if (pool.count === 1) for (let k = 0; k < count; k++) one();
    else pool.run(form, many, steps, 8, n, ENOUGH);
  };
}

/** `count` batch normalizations, in the same way: x and y [1024, 256] of its own each, a megabyte. */
function normsOf(pool: Pool, base: number, count: number): () => void {
  const [m, C] = [1024, 256];
  const form = formOf(pool, 'batchnormTraining');
  const size = FLOAT * count * m * C;
  const [x, y, small] = [base, base + size, base + 2 * size];
  const [mean, rstd, gamma, beta, runningMean, runningVar] = [0, 1, 2, 3, 4, 5].map(
    (k) => small + k * DOUBLE * count * C,
  );
  // Each thread has m rows of x and y, and C of all else.
  const [floats, doubles] = [(FLOAT * C) / m, (DOUBLE * C) / m];
  const steps = [FLOAT * C, doubles, doubles, FLOAT * C, floats, floats, floats, floats];
  const args = [y, mean, rstd, x, gamma, beta, runningMean, runningVar, count * m, C, 1e-5, 0.1, 1];
  const one = (k: number) => {
    const own = args.map((arg, at) => arg + k * m * (steps[at] ?? 0));
    own[8] = m;
    form.run(...own);
  };
  return () => {
    if (pool.count === 1) for (let k = 0; k < count; k++) one(k);
    else pool.run(form, args, steps, 8, m, ENOUGH);
  };
}

/** The share of the inputs that are 0. */
const ZEROS = 0.8;

/** y = x·W, dW = xᵀ·dz and the update of W, divided as `splits.ts` divides them between two threads: by rows of W. */
function firstLayer(pool: Pool, base: number): () => void {
  const [m, k, n] = [32, 784, 300];
  const sizes = [m * k, k * n, k * n, m * n, m * n, m * n, n];
  const [x, W, dW, y, before, dz, b] = sizes.map((_, at) => {
    const start = sizes.slice(0, at).reduce((sum, size) => sum + size, 0);
    return base + FLOAT * LINE * Math.ceil(start / LINE + at);
  });
  const form = (name: string) => formOf(pool, name);
  const [begin, dense, product, update] = ['beginTerms', 'sparseTerms', 'productPart', 'sgdUpdate'].map(form);
  const sparse = 4;
  const row = FLOAT * n;
  return () => {
    const args = [0, x, W, b, y, before, pool.alone(begin), m, k, n, k, 0];
    pool.run(dense, args, [1, FLOAT, row], 8, k / 2, ENOUGH);
    pool.run(product, [sparse, dW, x, 1, k, dz, n, 1, k, m, n, n], [0, row, FLOAT], 8, k / 2, ENOUGH);
    pool.run(update, [W, dW, k * n, 0, 0], [FLOAT, FLOAT], 2, (k * n) / 2, ENOUGH);
  };
}

/** Sums y = a + b of arrays that no L2 cache holds. */
function largeSums(pool: Pool, base: number): () => void {
  const form = formOf(pool, 'add');
  const [y, a, b] = [0, 1, 2].map((k) => base + k * FLOAT * LARGE);
  const steps = [FLOAT, FLOAT, FLOAT];
  return () => {
    pool.run(form, [y, a, b, LARGE], steps, 3, 16, ENOUGH);
  };
}

/** With half a megabyte, which fits into the cache of one core. */
function readingRates(pool: Pool, x: number): Reading {
  const n = 2 ** 17;
  const zeros = x + FLOAT * LARGE;
  const scale = formOf(pool, 'scale');
  const areFinite = formOf(pool, 'areFinite');
  pool.count = 2;
  const rate = (from: number) => {
    const times = Array.from({ length: 300 }, () => {
      pool.run(scale, [x, zeros, 2 * n, 1], [FLOAT, FLOAT], 2, n, ENOUGH);
      pool.join();
      const begin = performance.now();
      areFinite.run(from, n);
      return performance.now() - begin;
    });
    return (FLOAT * n) / median(times) / 1e6;
  };
  return { own: rate(x), others: rate(x + FLOAT * n) };
}

/** The part of the mean time of small independent products that exceeds the 10th percentile. */
function interruptionsOf(pool: Pool, base: number, count: number, { rounds, turn }: Turns): Interruptions {
  const work = productsOf(pool, base, count, 128);
  const share = (threads: number) => {
    pool.count = threads;
    const times: number[] = [];
    for (const end = performance.now() + 2 * rounds * turn; performance.now() < end;) {
      const begin = performance.now();
      work();
      pool.join();
      times.push(performance.now() - begin);
    }
    return 1 - quantile(times, 0.1) / mean(times);
  };
  return { one: share(1), all: share(count) };
}
