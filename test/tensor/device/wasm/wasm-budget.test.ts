/** How much WebAssembly memory programs get: what their steps need, and no more the longer they run. */
import { describe, expect, it } from 'vitest';
import { crossEntropy, SGD, tensor } from '../../../../src/index.ts';
import { nets } from '../../../../src/networks.ts';
import { sumAxis } from '../../../../kernels/reduce.ts';
import type { Storage } from '../../../../src/tensor/device/device.ts';
import { BUDGET } from '../../../../src/tensor/device/wasm/residency.ts';
import { openWasm, type WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';
import { seededStream } from '../../../../src/tensor/seed.ts';
import { wasmDevice } from './wasm-device.ts';

const MB = 2 ** 20;

/** An array of so many megabytes, which the program never frees. */
const array = (device: WasmDevice, megabytes: number): Storage =>
  device.upload(new Float32Array((megabytes * MB) / 4).fill(1), 'float32');

/** Reads an array with a kernel. */
function use(device: WasmDevice, x: Storage): void {
  const sum = device.run(sumAxis, [x], [[x.size]], [1], { axis: 0 }, false);
  expect(device.readSync(sum)[0]).toBe(x.size);
  device.free(sum);
}

/** Epochs of batches of 1 MB, which become garbage. Returns the memory after each epoch. */
function epochs(device: WasmDevice, batch: () => void, afterEach: () => void): number[] {
  return Array.from({ length: 8 }, () => {
    for (let k = 0; k < 100; k++) {
      use(device, array(device, 1));
      batch();
    }
    afterEach();
    return device.memory;
  });
}

describe('a long run needs what a short one needs:', () => {
  it('a large array that is used once an epoch', () => {
    const device = openWasm();
    const validation = array(device, 24);
    const memory = epochs(
      device,
      () => undefined,
      () => use(device, validation),
    );
    expect(memory.slice(2)).toEqual(Array(6).fill(memory[1]));
    expect(memory[7]).toBeLessThan(4 * BUDGET);
    expect(device.residency.moves.in).toBe(8);
  });

  it('a large array that is made once an epoch, and moves all others out', () => {
    const device = openWasm();
    const parameters = Array.from({ length: 8 }, () => array(device, 1));
    const memory = epochs(
      device,
      () => parameters.forEach((w) => use(device, w)),
      () => use(device, array(device, 24)),
    );
    expect(memory.slice(2)).toEqual(Array(6).fill(memory[1]));
    expect(memory[7]).toBeLessThan(4 * BUDGET);
    expect(device.residency.moves.in).toBeLessThanOrEqual(8 * parameters.length); // once an epoch
  });
});

it('arrays of every step all stay, however many they are', () => {
  const device = openWasm();
  const parameters = Array.from({ length: 40 }, () => array(device, 1));
  const step = () => {
    for (const w of parameters) use(device, w);
    array(device, 1);
  };
  for (let k = 0; k < 5; k++) step();
  const { moves, inUse } = device.residency;
  const before = moves.in;
  for (let k = 0; k < 50; k++) step();
  expect(moves.in).toBe(before);
  expect(inUse).toBeLessThan(64 * MB);
});

it('the budget comes down again when arrays stay unused for long', () => {
  const device = openWasm();
  const parameters = Array.from({ length: 40 }, () => array(device, 1));
  for (let k = 0; k < 3; k++) for (const w of parameters) use(device, w);
  expect(device.residency.inUse).toBeGreaterThan(40 * MB);
  const small = device.upload([1], 'float32');
  for (let k = 0; k < 20_000; k++) use(device, small);
  for (let k = 0; k < 30; k++) array(device, 1);
  expect(device.residency.inUse).toBeLessThan(BUDGET + 2 * MB);
  for (const w of parameters) use(device, w);
});

it('5,000 arrays of random sizes, one of which is read and one replaced per step, need constant memory and work', () => {
  const device = openWasm();
  const stream = seededStream(1);
  const index = (n: number) => Math.floor(n * stream.uniform());
  let allocated = 0;
  const fresh = () => {
    const values = new Float32Array(1 + index(5000)).fill(1);
    allocated += values.byteLength;
    return device.upload(values, 'float32');
  };
  const held = Array.from({ length: 5000 }, fresh); // 50 MB
  const moved: number[] = [];
  for (let round = 0; round < 10; round++) {
    const before = { ...device.residency.moves };
    for (let k = 0; k < 1000; k++) {
      use(device, held[index(5000)]);
      held[index(5000)] = fresh();
    }
    const { out, together } = device.residency.moves;
    moved.push(out - before.out);
    expect((together - before.together) * device.residency.inUse).toBeLessThan(8 * allocated); // bytes
    allocated = 0;
  }
  expect(device.residency.inUse).toBeLessThan(2 * BUDGET);
  expect(device.memory).toBeLessThan(4 * BUDGET);
  expect(Math.max(...moved)).toBeLessThan(2500); // the one that was read, the one that was made, and some
});

it('training in large batches hardly ever moves all arrays together, and needs at most twice its arrays', async () => {
  const device = await wasmDevice();
  const model = nets.plain();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const batch = 4096;
  const [x, labels] = [new Float32Array(batch * 784).fill(0.5), new Uint8Array(batch)];
  const step = () => {
    optimizer.zeroGrad();
    crossEntropy(model.forward(tensor(x, { shape: [batch, 784] })), labels).backward();
    optimizer.step();
  };
  for (let k = 0; k < 3; k++) step();
  const { together } = device.residency.moves;
  for (let k = 0; k < 6; k++) step();
  expect(device.residency.moves.together).toBe(together); // it was twice per step
  expect(device.memory).toBeLessThan(80 * MB); // the arrays of a step are 37 MB
});
