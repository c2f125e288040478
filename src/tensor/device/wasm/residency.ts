/**
 * Which arrays are in WebAssembly memory. That memory has no garbage collector, and nobody is asked to free
 * a tensor; so it is used like a cache, in front of ordinary memory:
 *
 * - What the library alone has seen, such as the temporaries of a backward pass, it frees at once.
 * - All else stays while there is room. When the budget is used up, the arrays that no kernel has touched
 *   for longest move out, into ordinary arrays of JavaScript's. If they were garbage, they now are collected
 *   as garbage is; if not, they move in again when a kernel asks for them, and the budget grows.
 * - Where arrays of ever other sizes have come and gone, those that are left lie scattered. Before a run they are moved
 *   together then, once in many runs: an array's place is known here alone.
 *
 * So memory stays flat, nothing that a program holds is ever lost, and what a training step works with,
 * parameters, gradients and optimizer state, is not copied for a kernel.
 */
import type { FloatArray } from '../../../../kernels/kernel.ts';
import { type DType, Storage } from '../device.ts';
import { DeviceError } from '../../errors.ts';
import { Heap } from './heap.ts';

/** The budget to begin with, in bytes: the cache of a processor, more or less. */
export const BUDGET: number = 2 ** 24;

export class WasmStorage extends Storage {
  readonly dtype: DType;
  readonly size: number;
  /** The bytes of its block. */
  readonly bytes: number;
  readonly home: Residency;
  /** Where it is in WebAssembly memory; 0 if it is not there. */
  address = 0;
  /** Its values while it is not there. */
  away: FloatArray | null = null;
  /** The number of the run that used it last. */
  usedBy = 0;
  /** Its index among the arrays that are there. */
  index = -1;

  constructor(dtype: DType, size: number, home: Residency) {
    super();
    this.dtype = dtype;
    this.size = size;
    this.bytes = Heap.blockSize(size * (dtype === 'float32' ? 4 : 8));
    this.home = home;
  }
}

/** An array, and when it was used last when it was looked at. */
interface Idle {
  readonly storage: WasmStorage;
  readonly usedBy: number;
}

/** The array at an address, as it is now: growing the memory makes earlier ones useless. */
export type View = (address: number, storage: WasmStorage) => FloatArray;

export class Residency {
  /** How often an array moved out, and in again; and how often all of them moved together. */
  readonly moves: { out: number; in: number; together: number } = { out: 0, in: 0, together: 0 };

  private readonly heap: Heap;
  private readonly view: View;
  private budget = BUDGET;
  private runs = 0;
  /** All arrays in WebAssembly memory, in no order: a run does no more than to note its number. */
  private readonly resident: WasmStorage[] = [];
  /** Those that were there when they were looked at last, the one that was not used for longest at the end. */
  private idle: Idle[] = [];

  constructor(heap: Heap, view: View) {
    this.heap = heap;
    this.view = view;
  }

  /** Bytes of WebAssembly memory in use. */
  get inUse(): number {
    return this.heap.inUse;
  }

  /**
   * To be called before each run: its inputs get places, and keep them, as its outputs do, until the next run.
   */
  begin(inputs: readonly WasmStorage[]): void {
    this.runs++;
    if (this.heap.isScattered) this.compact();
    for (const input of inputs) input.usedBy = this.runs;
    for (const input of inputs) if (input.address === 0) this.moveIn(input);
  }

  /** Gives a new array a place. */
  place(storage: WasmStorage): void {
    const { bytes } = storage;
    const { inUse } = this.heap;
    while (this.heap.inUse + bytes > this.budget && this.moveOldestOut());
    let address = this.heap.allocate(bytes);
    while (address === null && this.moveOldestOut()) address = this.heap.allocate(bytes);
    if (address === null) throw outOfMemory(bytes, inUse);
    storage.address = address;
    storage.usedBy = this.runs;
    storage.index = this.resident.push(storage) - 1;
  }

  /** The values, wherever they are. */
  valuesOf(storage: WasmStorage): FloatArray {
    if (storage.address !== 0) return this.view(storage.address, storage);
    if (storage.away !== null) return storage.away;
    throw new DeviceError(
      'wasm',
      'a tensor is used that was computed in a scope() which has ended',
      'return it from the function that scope() runs',
    );
  }

  free(storage: WasmStorage): void {
    storage.away = null;
    if (storage.address === 0) return;
    this.remove(storage);
    this.heap.free(storage.address, storage.bytes);
    storage.address = 0;
  }

  /** Moves all arrays together, in the order in which they lie, so that the free memory is one block. */
  private compact(): void {
    let address = this.heap.start;
    for (const storage of this.resident.toSorted((a, b) => a.address - b.address)) {
      if (storage.address !== address) {
        this.view(address, storage).set(this.view(storage.address, storage));
        storage.address = address;
      }
      address += storage.bytes;
    }
    this.heap.compacted();
    this.moves.together++;
  }

  /** False where there are none but those of this run. */
  private moveOldestOut(): boolean {
    const storage = this.nextIdle() ?? this.firstIdle();
    if (storage === null) return false;
    storage.away = this.view(storage.address, storage).slice();
    this.remove(storage);
    this.heap.free(storage.address, storage.bytes);
    storage.address = 0;
    this.moves.out++;
    return true;
  }

  private moveIn(storage: WasmStorage): void {
    const values = this.valuesOf(storage);
    this.budget += 2 * storage.bytes; // it was needed after all: keep more
    this.place(storage);
    this.view(storage.address, storage).set(values);
    storage.away = null;
    this.moves.in++;
  }

  /** Looks at all arrays. What was used or made since the last look is newer than all that was not. */
  private firstIdle(): WasmStorage | null {
    this.idle = this.resident.map((storage) => ({ storage, usedBy: storage.usedBy }));
    this.idle.sort((a, b) => b.usedBy - a.usedBy);
    return this.nextIdle();
  }

  /** The array that was not used for longest, of those that were looked at and not used since. */
  private nextIdle(): WasmStorage | null {
    for (let last = this.idle.pop(); last !== undefined; last = this.idle.pop()) {
      const { storage, usedBy } = last;
      if (storage.address !== 0 && storage.usedBy === usedBy && usedBy !== this.runs) return storage;
    }
    return null;
  }

  private remove(storage: WasmStorage): void {
    const last = this.resident.pop();
    if (last === undefined || last === storage) return;
    this.resident[storage.index] = last;
    last.index = storage.index;
  }
}

function outOfMemory(bytes: number, inUse: number): DeviceError {
  const megabytes = (n: number) => `${(n / 2 ** 20).toFixed(0)} MB`;
  return new DeviceError(
    'wasm',
    `out of memory: ${megabytes(bytes)} asked for, ${megabytes(inUse)} in use`,
    "use smaller batches, or the device 'cpu'; all tensors so far are still there",
  );
}
