/** Tests of the wasm device's memory: tensors in use keep their values, and it grows no more than needed. */
import { freemem } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, DeviceError, type Tensor, tensor } from '../../../../src/index.ts';
import { Heap } from '../../../../src/tensor/device/wasm/heap.ts';
import { BUDGET } from '../../../../src/tensor/device/wasm/residency.ts';
import { openWasm } from '../../../../src/tensor/device/wasm/open-wasm.ts';
import { cases } from '../../../kernels/cases/index.ts';
import { fusionCases } from '../../../kernels/fusion-cases/index.ts';
import { fused } from '../../../laws/fusion-laws.ts';
import { expectError } from '../../expect-error.ts';
import { Held, wasmDevice } from './wasm-device.ts';

const MB = 2 ** 20;
const device = await wasmDevice();

/** A tensor of n equal values. */
const filled = (n: number, value: number) => tensor(new Float32Array(n).fill(value));

describe('a loop that keeps some of its tensors', () => {
  it('keeps their values, and needs memory of at most three budgets', () => {
    const held = new Held();
    let x = filled(2 ** 15, 1);
    for (let step = 0; step < 3000; step++) {
      const y = x.mul(1.001).add(0.001); // 128 kB each: 46 times the budget over the whole loop
      if (step % 200 === 7) held.hold(`step ${step}`, y);
      if (step % 10 === 0) x = y;
    }
    expect(device.residency.moves.out).toBeGreaterThan(1000);
    expect(device.residency.inUse).toBeLessThan(3 * BUDGET);
    held.check();
  });

  it('needs no more memory if it only uploads and runs no kernel', () => {
    const before = device.memory;
    const held = new Held();
    for (let k = 0; k < 200; k++) {
      const x = filled(2 ** 18, k); // 1 MB each
      if (k % 50 === 7) held.hold(`upload ${k}`, x);
    }
    expect(device.residency.inUse).toBeLessThan(3 * BUDGET);
    expect(device.memory - before).toBeLessThan(4 * BUDGET);
    held.check();
  });

  it('may repeatedly use more tensors than the budget holds', () => {
    const all = Array.from({ length: 64 }, (_, k) => filled(2 ** 18, k)); // 64 MB
    const { moves } = device.residency;
    for (let round = 0; round < 3; round++) {
      for (const [k, x] of all.entries()) expect(x.sub(k).abs().max().item()).toBe(0);
    }
    const before = moves.in;
    for (const [k, x] of all.entries()) expect(x.sub(k).abs().max().item()).toBe(0);
    expect(moves.in - before).toBe(0); // the budget has grown to hold all of them
  });

  it('computes the right values in random programs', () => {
    const size = 2 ** 18;
    const step = fc.record({ op: fc.constantFrom('upload', 'add', 'mul', 'drop'), a: fc.nat(), b: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 60 }), (program) => {
        const held: { x: Tensor; value: number }[] = [{ x: filled(size, 1), value: 1 }];
        for (const [at, { op, a, b }] of program.entries()) {
          const [first, second] = [held[a % held.length], held[b % held.length]];
          if (op === 'upload') held.push({ x: filled(size, at), value: at });
          else if (op === 'drop') held.splice(a % held.length, held.length > 1 ? 1 : 0);
          else if (op === 'mul') held.push({ x: first.x.mul(0.5), value: Math.fround(0.5 * first.value) });
          else held.push({ x: first.x.add(second.x), value: Math.fround(first.value + second.value) });
        }
        for (const { x, value } of held) expect([...new Set(x.dataSync())]).toEqual([value]);
      }),
      { numRuns: 5 },
    );
  });
});

describe('growing memory', () => {
  it('keeps all values', () => {
    const fresh = openWasm();
    const values = Float32Array.from({ length: 1000 }, (_, k) => k);
    const held = Array.from({ length: 20 }, () => fresh.upload(values, 'float32'));
    const before = fresh.memory;
    const large = fresh.upload(new Float32Array(20 * MB), 'float32'); // 80 MB
    expect(fresh.memory).toBeGreaterThan(before);
    for (const storage of held) expect(fresh.readSync(storage)).toEqual(values);
    expect(fresh.readSync(large)).toHaveLength(20 * MB);
  });

  const needed = 3000 * MB;
  it.skipIf(freemem() < needed)(
    `works beyond 2 GB, where addresses are negative as i32 (skipped with less than ${needed / MB} MB free)`,
    () => {
      const [low, high] = [openWasm(), openWasm()];
      const heap = Reflect.get(high.residency, 'heap') as Heap;
      expect(heap.reserve(2 ** 31, 1.25)).toBe(true); // untouched, so it costs nothing
      expect(heap.allocate(Heap.blockSize(2 ** 31))).not.toBeNull();
      expect(high.memory).toBeGreaterThan(2 ** 31);
      for (const { kernel, calls } of Object.values(cases)) {
        for (const n of [9, 300]) {
          const [{ inputs, params }] = fc.sample(calls(n, 1), 1);
          const shapes = inputs.map(({ shape }) => shape);
          const [expected, found] = [low, high].map((home) => {
            const storages = inputs.map(({ data }) => home.upload(data, 'float32'));
            const y = home.run(kernel, storages, shapes, kernel.shape(shapes, params), params, false);
            if (home === high) expect(Reflect.get(y, 'address')).toBeGreaterThan(2 ** 31);
            return home.readSync(y);
          });
          expect(found, kernel.name).toEqual(expected);
        }
      }
      for (const fusionCase of Object.values(fusionCases)) {
        const [call] = fc.sample(fusionCase.calls(300, 1), 1);
        const [expected, found] = [low, high].map((home) => fused(fusionCase, call, home));
        expect(found, fusionCase.fusion.name).toEqual(expected);
      }
    },
  );

  it('throws beyond the maximum, with the sizes; existing tensors stay usable', () => {
    const held = new Held();
    held.hold('small', filled(1000, 5));
    const x = filled(8 * MB, 3);
    const much = Array<Tensor>(160).fill(x); // 32 MB each: 5,120 MB
    expectError(() => concat(much, 0), DeviceError, /^wasm: out of memory: 5120 MB asked for, \d+ MB in use/);
    held.check();
    expect(x.sub(3).abs().max().item()).toBe(0);
    expect(concat([x, x], 0).sum().item()).toBe(2 * 3 * 8 * MB);
  });
});
