/** Threads of the wasm device: the option, changes of their number, and workers that end or do not start. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker as NodeWorker } from 'node:worker_threads';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sgdUpdate } from '../../../../kernels/fused/sgd.ts';
import { matmul } from '../../../../kernels/matmul.ts';
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
  deviceInfo,
  manualSeed,
  ones,
  randn,
  ReLU,
  Sequential,
  SGD,
  tensor,
  useDevice,
  ValueError,
} from '../../../../src/index.ts';
import { nets } from '../../../../src/networks.ts';
import { builds, openWasm, type WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';
import type { Form, Pool } from '../../../../src/tensor/device/wasm/threads/pool.ts';
import { threadsOf } from '../../../../src/tensor/device/wasm/threads/count.ts';
import {
  startWorker,
  type StartWorker,
  type Worker,
} from '../../../../src/tensor/device/wasm/threads/start-worker.ts';
import { teamWith } from '../../../../src/tensor/device/wasm/threads/team.ts';
import { INTS } from '../../../../src/tensor/device/wasm/threads/worker.ts';
import type { ProgramOutcome } from './threads-program.ts';
import { wasmDevice } from './wasm-device.ts';

/** A device whose workers are started by `start`. */
function deviceWith(count: number, start: StartWorker = startWorker): WasmDevice {
  const device = openWasm(builds, { count, reason: 'this is a test' });
  device.gather(teamWith(start));
  return device;
}

/** A product large enough to be divided: ones [64, 100] times ones [100, 80]. */
function product(device: WasmDevice): Float32Array {
  const a = device.upload(new Float32Array(6400).fill(1), 'float32');
  const b = device.upload(new Float32Array(8000).fill(1), 'float32');
  const shapes = [[64, 100], [100, 80]]; // prettier-ignore
  return Float32Array.from(device.readSync(device.run(matmul, [a, b], shapes, [64, 80], {}, false)));
}

const expected = new Float32Array(64 * 80).fill(100);

async function poolOf({ pool }: WasmDevice) {
  if (pool === null) throw new Error('the device has one thread');
  await pool.started();
  return pool;
}

function formOf({ forms }: Pool, name: string): Form {
  const form = forms.get(name);
  if (form === undefined) throw new Error(`no export: ${name}`);
  return form;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await useDevice('wasm', { threads: 1 });
});

describe('useDevice', () => {
  it('sets the number of threads, which deviceInfo gives with its reason', async () => {
    expect(deviceInfo()).toMatchObject({ threads: 1 });
    expect(await useDevice('wasm', { threads: 3 })).toMatchObject({
      threads: 3,
      threadsReason: 'threads is 3',
    });
    expect(await useDevice('wasm')).toMatchObject({ threads: 3 });
    const { threads = 0, threadsReason } = await useDevice('wasm', { threads: 'auto' });
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(threads).toBeLessThanOrEqual(8);
    expect(threadsReason).toMatch(/core|worker|at most 8/);
    expect(await useDevice('cpu')).not.toHaveProperty('threads');
  });

  it.each([0, 1.5, -1, 65, NaN, 'many', '2', null])('refuses %j threads', async (threads) => {
    await expect(useDevice('wasm', { threads: threads as number })).rejects.toThrow(ValueError);
    await expect(useDevice('wasm', { threads: threads as number })).rejects.toThrow(
      /^useDevice: threads is .*\. Hint: use an integer from 1 to 64, or 'auto'$/,
    );
  });

  it('refuses threads of another device', async () => {
    await expect(useDevice('cpu', { threads: 2 })).rejects.toThrow(
      "useDevice: threads: 2 for another device. Hint: only 'wasm' has threads",
    );
  });

  it('keeps all tensors when the number changes', async () => {
    const x = tensor([1, 2, 3]);
    await useDevice('wasm', { threads: 2 });
    const y = x.mul(2);
    await useDevice('wasm', { threads: 4 });
    expect([...x.add(y).dataSync()]).toEqual([3, 6, 9]);
    await useDevice('wasm', { threads: 1 });
    expect([...x.add(y).dataSync()]).toEqual([3, 6, 9]);
  });
});

describe('GAMMABETA_THREADS', () => {
  it('is the default', () => {
    vi.stubEnv('GAMMABETA_THREADS', '3');
    expect(threadsOf('wasm', undefined)).toEqual({ count: 3, reason: 'GAMMABETA_THREADS is 3' });
    expect(threadsOf('wasm', 2)).toMatchObject({ count: 2 });
  });

  it('throws for a value that is not a number', () => {
    vi.stubEnv('GAMMABETA_THREADS', 'many');
    expect(() => threadsOf('wasm', undefined)).toThrow("wasm: GAMMABETA_THREADS is 'many'");
  });
});

describe('a worker', () => {
  it('starts with the first large kernel, and takes part in the next', async () => {
    const device = deviceWith(2);
    expect(device.pool?.ready).toBe(0);
    expect(product(device)).toEqual(expected);
    const pool = await poolOf(device);
    expect(pool.ready).toBe(1);
    for (let step = 0; step < 1000 && pool.shared === 0; step++) expect(product(device)).toEqual(expected);
    expect(pool.shared).toBeGreaterThan(0);
    pool.stop();
    expect(product(device)).toEqual(expected);
  });

  it('that ends is replaced by the main thread', async () => {
    const workers: (Worker | null)[] = [];
    const start: StartWorker = (...args) => {
      workers.push(startWorker(...args));
      return workers.at(-1) ?? null;
    };
    const device = deviceWith(3, start);
    const pool = await poolOf(device);
    expect(pool.ready).toBe(2);
    workers[0]?.stop();
    for (let step = 0; step < 10; step++) expect(product(device)).toEqual(expected); // before its end is known
    while (pool.ready === 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(product(device)).toEqual(expected);
    expect(pool.ready).toBe(1);
    pool.stop();
  });

  it('that cannot start causes one warning, with the reason', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const broken: StartWorker = (start, ended) => startWorker({ ...start, module: {} }, ended);
    const device = deviceWith(3, broken);
    const pool = await poolOf(device);
    expect(pool.ready).toBe(0);
    expect(product(device)).toEqual(expected);
    expect(device.threads?.count).toBe(1);
    expect(device.threads?.reason).toMatch(/^a worker thread ended or did not start: .*WebAssembly/);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^wasm: a worker thread ended or did not start: .*WebAssembly/)],
    ]);
  });

  /** A worker that takes a job, and never finishes it. */
  const endless: StartWorker = ({ control, place }, ended) => {
    const code = `const { workerData: { control, at } } = require('node:worker_threads');
        Atomics.store(control, at, 0);
        for (let state = 0; ; state = Atomics.load(control, at)) {
          if ((state & 3) === 1 && Atomics.compareExchange(control, at, state, state + 1) === state) break;
        }`;
    const worker = new NodeWorker(code, { eval: true, workerData: { control, at: INTS * place } });
    worker.on('error', (error) => {
      ended(String(error));
    });
    return { stop: () => void worker.terminate() };
  };

  it('that ends in the middle of a kernel is replaced by the main thread, with one warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const device = deviceWith(2, endless);
    const pool = await poolOf(device);
    pool.longest = 50;
    pool.pauses = false;
    for (let step = 0; pool.ready > 0 && step < 100_000; step++) expect(product(device)).toEqual(expected);
    expect(pool.ready).toBe(0);
    expect(warn.mock.calls.length).toBeLessThanOrEqual(1); // once in a process
    expect(product(device)).toEqual(expected);
    expect(device.threads).toEqual({
      count: 1,
      reason: 'a worker thread ended or did not start: it did not finish a kernel',
    });
  });

  it('that ends while it changes a tensor in place causes an error, and the others go on', async () => {
    const device = deviceWith(2, endless);
    const pool = await poolOf(device);
    pool.longest = 50;
    pool.pauses = false;
    const [w, g] = [1, 2].map((value) => device.upload(new Float32Array(1 << 20).fill(value), 'float32'));
    const shapes = [[1 << 20], [1 << 20]];
    const update = () => device.runFused?.(sgdUpdate, [w, g], shapes, { lr: 0.1, weightDecay: 0 });
    expect(() => {
      for (let step = 0; step < 100_000; step++) update();
    }).toThrow('a worker thread ended while it changed a tensor in place');
    expect(pool.ready).toBe(0);
    expect(product(device)).toEqual(expected);
  });
});

describe('the main thread', () => {
  const [a, b] = [6400, 8000].map((size) => new Float32Array(size).fill(1));
  const shapes = [[64, 100], [100, 80]]; // prettier-ignore

  it('goes on before a worker has finished, and joins it when the values are read', async () => {
    const device = deviceWith(2);
    const pool = await poolOf(device);
    pool.pauses = false;
    for (let step = 0; step < 1000 && pool.shared === 0; step++) {
      const inputs = [device.upload(a, 'float32'), device.upload(b, 'float32')];
      const before = pool.shared;
      const y = device.run(matmul, inputs, shapes, [64, 80], {}, false);
      expect(pool.shared).toBe(before);
      expect(Float32Array.from(device.readSync(y))).toEqual(expected);
    }
    expect(pool.shared).toBeGreaterThan(0);
    pool.stop();
  });

  /** A worker that reports this time for each share, in milliseconds, without computing it. */
  const taking = (time: number): StartWorker => {
    return ({ control, jobs, place }, ended) => {
      const code = `const { workerData: { control, jobs, at, time } } = require('node:worker_threads');
        Atomics.store(control, at, 0);
        for (;;) {
          const state = Atomics.load(control, at);
          if ((state & 3) !== 1 || Atomics.compareExchange(control, at, state, state + 1) !== state) continue;
          jobs[3] = time;
          Atomics.store(control, at, state + 3);
        }`;
      const workerData = { control, jobs, at: INTS * place, time };
      const worker = new NodeWorker(code, { eval: true, workerData });
      worker.on('error', (error) => {
        ended(String(error));
      });
      return { stop: () => void worker.terminate() };
    };
  };

  it('takes a smaller share if a worker is faster, and a larger one if it is slower', async () => {
    /** The rows of 1000 that the main thread computes first, after the worker has taken 40 shares of [1000, 600]·[600, 80]. */
    const rowsWith = async (time: number) => {
      const device = deviceWith(2, taking(time));
      const pool = await poolOf(device);
      pool.pauses = false;
      const run = vi.spyOn(formOf(pool, 'productPart'), 'run');
      const inputs = [
        device.upload(new Float32Array(600_000).fill(1), 'float32'),
        device.upload(new Float32Array(48_000).fill(1), 'float32'),
      ];
      const large = [[1000, 600], [600, 80]]; // prettier-ignore
      for (let step = 0; step < 100_000 && pool.shared < 40; step++) {
        run.mockClear();
        device.run(matmul, inputs, large, [1000, 80], {}, false);
        pool.join();
      }
      pool.stop();
      return run.mock.calls[0][8];
    };
    expect(await rowsWith(0.05)).toBeLessThan(500);
    expect(await rowsWith(50)).toBeGreaterThan(500);
  });

  it.each([
    ['half of the units that stay with it', 1, (first: number) => first === 500],
    ['more of them if a worker is slower', 1.5, (first: number) => first > 550],
    ['fewer of them if a worker is faster', 0.7, (first: number) => first < 450],
    ['four fifths of them at most', 50, (first: number) => first > 780 && first <= 800],
  ])('takes %s', async (_, time, isExpected) => {
    const pool = await poolOf(deviceWith(2, taking(time)));
    pool.pauses = false;
    const shares: number[] = [];
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const [one, other] = ['scale', 'exp'].map((name) => {
      return pool.staying({
        ...formOf(pool, name),
        run: (units) => {
          shares.push(units);
          clock += 1; // the share of the main thread takes a millisecond
          return 1;
        },
      });
    });
    const run = (form: typeof one) => {
      pool.run(form, [1000], [], 0, 1, 1e9);
      pool.join();
    };
    for (let step = 0; step < 100_000 && pool.shared < 200; step++) run(one);
    const before = shares.length;
    run(other); // forms whose units stay divide them alike
    pool.stop();
    expect(shares[before]).toSatisfy(isExpected);
  });
});

describe('a pool whose worker is late', () => {
  /** A worker that takes each job, and finishes it when `until` has passed. */
  const late = (delay: number): StartWorker => {
    return ({ control, place }, ended) => {
      const code = `const { workerData: { control, at, delay } } = require('node:worker_threads');
          Atomics.store(control, at, 0);
          for (;;) {
            const state = Atomics.load(control, at);
            if ((state & 3) !== 1 || Atomics.compareExchange(control, at, state, state + 1) !== state) continue;
            for (const end = performance.now() + delay; performance.now() < end; );
            Atomics.store(control, at, state + 3);
          }`;
      const worker = new NodeWorker(code, { eval: true, workerData: { control, at: INTS * place, delay } });
      worker.on('error', (error) => {
        ended(String(error));
      });
      return { stop: () => void worker.terminate() };
    };
  };

  it('pauses, so that it takes hardly longer than one thread', async () => {
    const device = deviceWith(2, late(20));
    const pool = await poolOf(device);
    const taken = () => pool.shared;
    for (let step = 0; step < 100_000 && taken() === 0; step++) product(device);
    expect(taken()).toBe(1); // and 20 ms are lost
    const end = performance.now() + 300;
    while (performance.now() < end) product(device);
    expect(taken()).toBe(1); // a pause of 400 ms
    while (taken() === 1 && performance.now() < end + 10_000) product(device);
    expect(taken()).toBe(2);
    pool.pauses = false;
    const before = taken();
    for (let step = 0; step < 100_000 && taken() < before + 5; step++) product(device);
    expect(taken()).toBe(before + 5);
    pool.stop();
  });
});

describe('training', () => {
  /** Losses of 20 steps on kernels that are large enough to be divided. `onStep` is called after each. */
  function losses(onStep: (step: number) => void = () => undefined): number[] {
    manualSeed(1);
    const model = nets.bn();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = randn([64, 784]);
    const labels = Uint8Array.from({ length: 64 }, (_, i) => i % 10);
    return Array.from({ length: 20 }, (_, step) => {
      const loss = crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      onStep(step);
      return loss.dataSync()[0];
    });
  }

  it.each([2, 8])('on %i threads has the losses of one', async (threads) => {
    const expected = losses();
    const device = await wasmDevice();
    await useDevice('wasm', { threads });
    const pool = await poolOf(device);
    pool.pauses = false;
    expect(pool.ready).toBe(threads - 1);
    expect(losses()).toEqual(expected);
    expect(pool.shared).toBeGreaterThan(0);
  });

  it('goes on when a worker is killed, with the same losses', async () => {
    const expected = losses();
    const device = await wasmDevice();
    const workers: NodeWorker[] = [];
    const listener = (worker: NodeWorker) => void workers.push(worker);
    process.on('worker', listener);
    onTestFinished(() => void process.off('worker', listener));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await useDevice('wasm', { threads: 3 });
    const pool = await poolOf(device);
    expect(pool.ready).toBe(2);
    const found = losses((step) => {
      if (step === 10) void workers[0].terminate();
    });
    expect(found).toEqual(expected);
    await expect.poll(() => pool.ready).toBe(1);
    expect(deviceInfo().threads).toBe(2);
    expect(deviceInfo().threadsReason).toMatch(/exit code 1/);
    expect(warn.mock.calls.length).toBeLessThanOrEqual(1); // a test before this one may have caused the warning
    expect(losses()).toEqual(expected);
  });

  it('keeps its memory over 1,000 steps', async () => {
    const device = await wasmDevice();
    await useDevice('wasm', { threads: 2 });
    const pool = await poolOf(device);
    pool.leastShare = 0;
    const model = new Sequential(new Dense(8, 16), new BatchNorm1d(16), new ReLU(), new Dense(16, 4));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = randn([32, 8]);
    const labels = Uint8Array.from({ length: 32 }, (_, i) => i % 4);
    const train = (steps: number) => {
      for (let step = 0; step < steps; step++) {
        const loss = crossEntropy(model.forward(x), labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      }
    };
    train(200);
    const before = device.memory;
    train(1000);
    expect(device.memory).toBe(before);
    expect(pool.shared).toBeGreaterThan(0);
    expect(pool.ready).toBe(1);
  });
});

it('memory stays flat, and grows while workers run', async () => {
  const device = await wasmDevice();
  await useDevice('wasm', { threads: 2 });
  const pool = await poolOf(device);
  const x = ones([64, 100]);
  const W = ones([100, 80]);
  const before = device.memory;
  for (let step = 0; step < 300; step++) x.matmul(W);
  expect(device.memory).toBe(before);
  const large = Array.from({ length: 40 }, () => ones([512, 1024]).mul(2)); // 80 MB
  expect(large.every((y) => y.dataSync()[512 * 1024 - 1] === 2)).toBe(true);
  expect(x.matmul(W).dataSync()).toEqual(expected);
  expect(pool.ready).toBe(1);
});

describe('a program', () => {
  it('trains on one thread per core, and ends by itself', async () => {
    const program = join(import.meta.dirname, 'threads-program.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
      env: { ...process.env, GAMMABETA_THREADS: '' },
      timeout: 25_000,
    });
    const { threads, losses } = JSON.parse(stdout) as ProgramOutcome;
    expect(threads).toBeGreaterThanOrEqual(Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2))));
    expect(losses).toHaveLength(20);
    expect(losses[19]).toBeLessThan(losses[0]);
  });
});
