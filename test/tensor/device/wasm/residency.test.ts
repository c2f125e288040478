/** Tests of which arrays are in WebAssembly memory, by random programs that need more memory than there is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceError } from '../../../../src/index.ts';
import { Heap } from '../../../../src/tensor/device/wasm/heap.ts';
import { Residency, WasmStorage } from '../../../../src/tensor/device/wasm/residency.ts';

/** A device that only computes sums, in a memory of `bytes` bytes. */
class Machine {
  readonly residency: Residency;
  readonly heap: Heap;
  private readonly memory: ArrayBuffer;

  constructor(bytes: number) {
    this.memory = new ArrayBuffer(bytes);
    this.heap = new Heap(64, bytes, () => false);
    this.residency = new Residency(
      this.heap,
      (address, { size }) => new Float32Array(this.memory, address, size),
    );
  }

  upload(values: readonly number[]): WasmStorage {
    const storage = new WasmStorage('float32', values.length, this.residency);
    this.residency.begin([]); // no kernel needs anything
    this.residency.place(storage);
    this.at(storage).set(values);
    return storage;
  }

  /** Runs like a kernel: it asks for addresses when all its arrays have been placed. */
  sums(inputs: readonly WasmStorage[], outputs: number): WasmStorage[] {
    this.residency.begin(inputs);
    const size = Math.min(...inputs.map((input) => input.size));
    const results = Array.from({ length: outputs }, () => new WasmStorage('float32', size, this.residency));
    for (const result of results) this.residency.place(result);
    const arrays = inputs.map((input) => this.at(input));
    results.forEach((result, k) => {
      this.at(result).forEach((_, i, y) => (y[i] = arrays.reduce((sum, x) => sum + x[i], k)));
    });
    return results;
  }

  read(storage: WasmStorage): number[] {
    return Array.from(storage.away?.values ?? this.at(storage));
  }

  private at(storage: WasmStorage): Float32Array {
    expect(storage.address).toBeGreaterThan(0);
    return new Float32Array(this.memory, storage.address, storage.size);
  }
}

type Step =
  | { readonly upload: number }
  | { readonly sum: readonly number[]; readonly outputs: number }
  | { readonly free: number };

/** The size of a memory that holds this many bytes, and can move its arrays together now and then. */
const roomFor = (bytes: number): number => 64 + 1.25 * bytes + 64;

/** Sizes are limited so that there is always room for the arrays of one kernel. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(150).map((upload) => ({ upload })) },
  {
    weight: 4,
    arbitrary: fc.record({
      sum: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      outputs: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.nat().map((free) => ({ free })) },
);
const programs = fc.array(steps, { maxLength: 80, size: 'max' });

describe('a residency of 8 kB', () => {
  it('keeps the values of all arrays, whichever move out and in again', () => {
    let [out, back, together] = [0, 0, 0];
    fc.assert(
      fc.property(programs, (program) => {
        const machine = new Machine(8192);
        const held: { storage: WasmStorage; values: number[] }[] = [];
        program.forEach((step, at) => {
          if ('upload' in step) {
            const values = Array.from({ length: step.upload }, (_, i) => at + i);
            held.push({ storage: machine.upload(values), values });
          } else if (held.length === 0) {
            return;
          } else if ('free' in step) {
            const [{ storage }] = held.splice(step.free % held.length, 1);
            machine.residency.free(storage);
          } else {
            const inputs = step.sum.map((k) => held[k % held.length]);
            const size = Math.min(...inputs.map(({ values }) => values.length));
            machine
              .sums(
                inputs.map(({ storage }) => storage),
                step.outputs,
              )
              .forEach((storage, k) => {
                const sum = (i: number) => inputs.reduce((total, { values }) => total + values[i], k);
                held.push({ storage, values: Array.from({ length: size }, (_, i) => sum(i)) });
              });
          }
          const resident = held.filter(({ storage }) => storage.address !== 0);
          expect(machine.residency.inUse).toBe(resident.reduce((sum, { storage }) => sum + storage.bytes, 0));
        });
        for (const { storage, values } of held) expect(machine.read(storage)).toEqual(values);
        out += machine.residency.moves.out;
        back += machine.residency.moves.in;
        together += machine.residency.moves.together;
      }),
      { numRuns: 150 },
    );
    expect(Math.min(out, back)).toBeGreaterThan(100); // the programs do move arrays
    expect(together).toBeGreaterThan(20);
  });

  it('moves out the least recently used arrays', () => {
    const machine = new Machine(64 + 4 * 1600 + 64);
    const [a, b, c, d] = [1, 2, 3, 4].map((value) => machine.upload(Array<number>(400).fill(value))); // 1.6 kB each
    machine.sums([a], 0);
    machine.upload(Array<number>(400).fill(5)); // a fifth of the memory is to stay free: two move out
    expect([a, b, c, d].map(({ address }) => address === 0)).toEqual([false, true, true, false]);
    expect([b, c].map((storage) => machine.read(storage)[399])).toEqual([2, 3]);
  });

  it('never moves out an input of the running kernel, even the least recently used one', () => {
    const machine = new Machine(64 + 6 * 640 + 64);
    const [a, b, c, ...others] = [1, 2, 3, 4, 5, 6].map((value) =>
      machine.upload(Array<number>(150).fill(value)),
    );
    const [sum] = machine.sums([a, b], 1);
    expect([a, b, c].map(({ address }) => address === 0)).toEqual([false, false, true]);
    expect(machine.read(sum)[0]).toBe(3);
    expect([c, ...others].map((storage) => machine.read(storage)[149])).toEqual([3, 4, 5, 6]);
  });

  it('moves scattered arrays together when the unused memory is used up', () => {
    const machine = new Machine(64 + 15 * 640 + 64);
    const all = Array.from({ length: 15 }, (_, i) => machine.upload(Array<number>(150).fill(i)));
    const kept = all.filter((_, i) => i % 3 === 1);
    for (const storage of all) if (!kept.includes(storage)) machine.residency.free(storage); // leaves gaps
    machine.upload(Array<number>(450).fill(1));
    expect(machine.residency.moves).toEqual({ out: 0, in: 0, together: 1 });
    expect(kept.map(({ address }) => (address - 64) / 640)).toEqual([0, 1, 2, 3, 4]);
    expect(kept.map((storage) => machine.read(storage)[149])).toEqual([1, 4, 7, 10, 13]);
  });

  it('moves arrays out rather than moving them together often', () => {
    const machine = new Machine(roomFor(12 * 640));
    for (let i = 0; i < 1000; i++) machine.upload(Array<number>(100 + (i % 60)).fill(i));
    expect(machine.residency.moves.together).toBeLessThan(400); // each makes room for three
    expect(machine.residency.inUse).toBeLessThanOrEqual(12 * 640);
  });

  it('throws if the outputs do not fit beside the inputs, names the sizes, and keeps all arrays', () => {
    const machine = new Machine(2 ** 22);
    const million = Array.from({ length: 300_000 }, (_, i) => i % 97);
    const [a, b] = [machine.upload(million), machine.upload(million)]; // 1.2 MB each
    expect(() => machine.sums([a, b], 2)).toThrow(DeviceError);
    expect(() => machine.sums([a, b], 2)).toThrow(
      /^wasm: out of memory: 1 MB asked for, 3 MB in use\. Hint: /,
    );
    expect(machine.read(a)).toEqual(million);
    const [sum] = machine.sums([a, b], 1);
    expect(machine.read(sum)[5]).toBe(10);
  });
});
