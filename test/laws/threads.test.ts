/**
 * Several threads give the same bits as one: every kernel and fusion on wasm, at sizes around the splits, with every
 * kernel divided as finely as it can be.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import { builds, openWasm, type WasmDevice } from '../../src/tensor/device/wasm/open-wasm.ts';
import { WasmStorage } from '../../src/tensor/device/wasm/residency.ts';
import type { SimdForm } from '../../src/tensor/device/wasm/threads/pool.ts';
import { splitsOf } from '../../src/tensor/device/wasm/threads/splits.ts';
import { forms } from '../../kernels/fused/forms.ts';
import { signatures } from '../../kernels/fused/signatures.ts';
import * as kernels from '../../kernels/matmul.ts';
import { makeTeam } from '../../src/tensor/device/wasm/threads/team.ts';
import { fusionCases } from '../kernels/fusion-cases/index.ts';
import { cases } from '../kernels/cases/index.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { fused } from './fusion-laws.ts';
import type { KernelCall } from './kernel-laws.ts';

/** Around a cache line of columns, tiles of 4 and 6 rows, blocks of 32 and 60 rows, and the shares of 2, 3 and 8 threads. */
const extents = [1, 3, 4, 5, 12, 15, 16, 17, 31, 33, 59, 61, 65, 121, 300, 1030];
const counts = [2, 3, 8];

const reason = 'this is a test';
const one = openWasm(builds, { count: 1, reason });
const several: ReadonlyMap<number, WasmDevice> = new Map(
  counts.map((count) => [count, openWasm(builds, { count, reason })]),
);

beforeAll(async () => {
  for (const [count, device] of several) {
    device.gather(makeTeam);
    const { pool } = device;
    if (pool === null) throw new Error('shared memory is refused');
    await pool.started();
    pool.leastShare = 0;
    expect(pool.ready).toBe(count - 1);
  }
});

afterAll(() => {
  for (const { pool } of several.values()) pool?.stop();
});

/** Every kernel or fusion with a way to divide it has a case here. */
it('covers all that is divided', () => {
  const pool = several.get(2)?.pool;
  const tested = new Set([
    ...Object.values(cases).map(({ kernel }) => kernel.simd),
    ...Object.values(fusionCases).map(({ fusion }) => fusion.name),
  ]);
  expect(pool && [...splitsOf(pool).keys()].filter((name) => !tested.has(name))).toEqual([]);
});

describe.each(Object.entries(cases).filter(([, { kernel }]) => kernel.simd !== undefined))(
  'the kernel %s',
  (_, { kernel, calls, except = [] }) => {
    it('has the same bits with 1, 2, 3 and 8 threads', () => {
      forCalls(calls, except, (call) => {
        const shapes = call.inputs.map(({ shape }) => shape);
        const result = (device: Device) => {
          const inputs = call.inputs.map(({ data }) => device.upload(data, 'float32'));
          const shape = kernel.shape(shapes, call.params);
          const output = device.run(kernel, inputs, shapes, shape, call.params, false);
          return [bitsOf(device, output, [...inputs, output])];
        };
        expectSame(result);
      });
    });
  },
);

describe.each(Object.entries(fusionCases))('the fusion %s', (_, fusionCase) => {
  it('has the same bits with 1, 2, 3 and 8 threads', () => {
    forCalls(fusionCase.calls, fusionCase.except ?? [], (call) => {
      expectSame((device) => {
        const { results, others } = fused(fusionCase, call, device);
        return [...results, ...others].map((values) => bytesOf(values));
      });
    });
  });
});

// Images are mostly zeros, and other batches are not: the two have different forms of products.
describe.each([
  ['batchnormDense', 32, 784, 50],
  ['batchnormDense', 100, 130, 40],
  ['batchnormDenseSums', 32, 784, 50],
  ['batchnormDenseSums', 100, 130, 40],
  ['dense', 32, 784, 50],
  ['dense', 32, 300, 100],
  ['dense', 200, 784, 50],
  ['dense', 100, 130, 300],
] as const)('the fusion %s on %i rows of %i and %i numbers', (name, m, k, n) => {
  it.each([
    ['zeros', 0.8],
    ['other numbers', 0],
  ])('most of which are %s', (_, zeros) => {
    const { statistics = [] } = fusionCases[name];
    const names = signatures[name].inputs;
    const stream = seededStream(7);
    const draw = (shape: number[]) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return { shape, data: Float64Array.from({ length: size }, () => Math.fround(stream.normal())) };
    };
    const x = draw([m, k]);
    x.data.forEach((_, at) => {
      if (stream.uniform() < zeros) x.data[at] = 0;
    });
    const shapes: Record<string, number[]> = { W: [k, n], b: [n], dz: [m, n] };
    const inputs = names.map((input) => (input === 'x' ? x : draw(shapes[input] ?? [k])));
    const params = { eps: 1e-5, slope: 0 };
    const drawn = {
      inputs,
      params: Object.fromEntries((forms[name].params ?? []).map((p) => [p, params[p as 'eps']])),
    };
    expect(statistics.every((at) => ['mean', 'rstd'].includes(names[at]))).toBe(true);
    expectSame((device) => {
      const { results, others } = fused(fusionCases[name], drawn, device);
      return [...results, ...others].map((values) => bytesOf(values));
    });
  });
});

/** More rows than there is room for sums of, more columns than are processed together, and means far from 0. */
it.each([
  'batchnormTraining',
  'batchnormForward',
  'batchnormInference',
  'batchnormBackward',
  'denseDz',
] as const)('the fusion %s on 2,080 rows of 1,040 numbers', (name) => {
  const [m, C] = [2080, 1040];
  const stream = seededStream(5);
  const draw = (shape: number[], mean: number) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return { shape, data: Float64Array.from({ length: size }, () => Math.fround(mean + stream.normal())) };
  };
  const matrices = ['x', 'g', 'y'];
  const inputs = signatures[name].inputs.map((input) => draw(matrices.includes(input) ? [m, C] : [C], 3));
  const params = { eps: 1e-5, alpha: 0.1, correction: 1, slope: 0 };
  const names = (forms[name].params ?? []) as readonly (keyof typeof params)[];
  const drawn = { inputs, params: Object.fromEntries(names.map((param) => [param, params[param]])) };
  expectSame((device) => {
    const { results, others } = fused(fusionCases[name], drawn, device);
    return [...results, ...others].map((values) => bytesOf(values));
  });
});

/** Products that are divided by columns of y, or by terms: one row; fewer rows than columns; and with zeros, at most 64 rows. */
describe.each([
  ['matmul', 1, 784, 300, 0],
  ['matmul', 32, 784, 300, 0],
  ['matmul', 32, 784, 300, 0.8],
  ['matmul', 64, 512, 517, 0.8],
  ['matmul', 65, 130, 300, 0],
  ['matmul', 70, 0, 300, 0],
  ['matmulTransposedB', 32, 100, 300, 0],
  ['matmulTransposedA', 32, 100, 303, 0.8],
] as const)('the kernel %s, [%i, %i]×[…, %i]', (name, m, k, n, zeros) => {
  it(`${100 * zeros} % zeros`, () => {
    const kernel = kernels[name];
    const stream = seededStream(3);
    const draw = (shape: number[], share: number) => {
      const data = Float32Array.from({ length: shape[0] * shape[1] }, () => stream.normal());
      return { shape, data: data.map((value) => (stream.uniform() < share ? 0 : value)) };
    };
    const a = draw(name === 'matmulTransposedA' ? [k, m] : [m, k], zeros);
    const b = draw(name === 'matmulTransposedB' ? [n, k] : [k, n], 0);
    expectSame((device) => {
      const inputs = [a, b].map(({ data }) => device.upload(data, 'float32'));
      const output = device.run(kernel, inputs, [a.shape, b.shape], [m, n], {}, false);
      return [bitsOf(device, output, [...inputs, output])];
    });
  });
});

/** Of two threads that divide the terms of a product, the second one adds its terms to the sums of the first. */
it.each([
  ['sparseTerms', 'dense', [32, 784, 300], 0.8],
  ['rowTerms', 'matmul', [1, 784, 300], 0],
] as const)('in %s, the second thread waits for the first', (part, name, [m, k, n], zeros) => {
  const device = several.get(2);
  const pool = device?.pool;
  const form = pool?.forms.get(part);
  if (!device || !pool || !form) throw new Error('no pool');
  const stream = seededStream(11);
  const draw = (size: number, share: number) =>
    device.upload(
      Float32Array.from({ length: size }, () => (stream.uniform() < share ? 0 : stream.normal())),
      'float32',
    );
  const arrays = [draw(m * n, 0), draw(m * k, zeros), draw(k * n, 0), draw(n, 0), draw(m * k, zeros)];
  const [y, x, W, b, others] = arrays.map((storage) => {
    if (!(storage instanceof WasmStorage)) throw new Error('not an array of wasm');
    return storage.address;
  });
  const result = (run: SimdForm, from: number) => {
    pool.forms.set(part, { ...form, run });
    try {
      splitsOf(pool).get(name)?.(name === 'dense' ? [y, from, W, b, m, k, n, 0] : [y, from, W, m, k, n]);
      pool.join();
    } finally {
      pool.forms.set(part, form);
    }
    return bytesOf(device.readSync(arrays[0]));
  };
  let calls = 0;
  const late: SimdForm = (...all) => {
    calls++;
    for (const end = performance.now() + 20; performance.now() < end;);
    return form.run(...all);
  };
  const expected = result(form.run, x);
  result(form.run, others); // sums of other numbers are left in memory
  expect(Buffer.compare(result(late, x), expected)).toBe(0);
  expect(calls).toBe(1);
});

it('workers took part', () => {
  for (const { pool } of several.values()) expect(pool?.shared).toBeGreaterThan(0);
});

function forCalls(
  calls: (n: number, turn: number) => fc.Arbitrary<KernelCall>,
  except: readonly number[],
  law: (call: KernelCall) => void,
): void {
  for (const n of extents.filter((extent) => !except.includes(extent))) {
    for (const turn of n > 100 ? [n % 3] : [0, 1, 2]) {
      fc.assert(fc.property(calls(n, turn), law), { numRuns: 1 });
    }
  }
}

function expectSame(result: (device: Device) => readonly Uint8Array[]): void {
  const expected = result(one);
  for (const [count, device] of several) {
    result(device).forEach((bytes, k) => {
      if (Buffer.compare(bytes, expected[k]) === 0) return;
      throw new Error(`${count} threads: result ${k} differs from that of one`);
    });
  }
}

function bitsOf(device: Device, output: Storage, all: readonly Storage[]): Uint8Array {
  const bits = bytesOf(device.readSync(output));
  for (const storage of all) device.free(storage);
  return bits;
}

function bytesOf({ buffer }: { readonly buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(buffer);
}
