/**
 * Decides which arrays are in WebAssembly memory. That memory has no garbage collector, and users never free a tensor,
 * so it is used as a cache in front of JavaScript memory:
 *
 * - Arrays that only the library has seen, such as the temporaries of a backward pass, are freed at once.
 * - All other arrays stay while there is room. When the budget is used up, the least recently used ones move out, into
 *   ordinary JavaScript arrays. If an array is garbage, JavaScript collects it there; if not, it moves in again when
 *   a kernel needs it.
 * - The budget grows if a good part of what moves out moves in again, as in a training step that needs more. It does
 *   not grow for large arrays that are needed once an epoch, and it shrinks while arrays stay unused for long.
 * - Arrays of changing sizes leave the memory scattered. Then, once in many runs, all arrays are moved together. This is
 *   safe because addresses are known only here, and a kernel gets them when all its arrays have been placed.
 *
 * So memory stays flat, no array that a program holds is lost, and the arrays of a training step (parameters,
 * gradients, optimizer state) are used in place, without copies.
 */
import type { FloatArray } from '../../../../kernels/kernel.ts';
import type { DType, Storage } from '../device.ts';
import { DeviceError } from '../../errors.ts';
import { Heap } from './heap.ts';

/** The initial budget in bytes, and the least: about the size of a processor's cache. */
export const BUDGET: number = 2 ** 24;

/** Runs: a few training steps. What moves in again so soon after its last use is used in every step. */
const SOON = 1000;

/**
 * The size of the memory in relation to the arrays in it. It begins with the least, and rises by a step whenever arrays
 * are moved together for the second time within `SOON` runs.
 */
const ROOM = { least: 1.25, step: 0.25, most: 2 };

/** The budget grows if at least 1/soon of the bytes that move out move in again soon, or 1/later of them later. */
const WORTHWHILE = { soon: 4, later: 1.25 };

/** The number of runs, hundreds of training steps, after which the budget shrinks by an array that was not used. */
const LONG = 20_000;

/** The bytes of all arrays that have moved out and in. */
interface Traffic {
  readonly out: number;
  readonly in: number;
}

/** An array that has moved out. */
interface Away {
  readonly values: FloatArray;
  /** The number of the last run that used it. */
  readonly usedBy: number;
  /** The budget with which it would have stayed, not counting arrays that move out later. */
  readonly wanted: number;
  /** The bytes that had moved out, itself included. */
  readonly out: number;
  /** The traffic up to the sort before that. */
  readonly before: Traffic;
}

export class WasmStorage implements Storage {
  version = 0;
  readonly dtype: DType;
  readonly size: number;
  /** The size of its block, in bytes. */
  readonly bytes: number;
  readonly home: Residency;
  /** Its address in WebAssembly memory; 0 if it has moved out. */
  address = 0;
  /** Its values while it has moved out. */
  away: Away | null = null;
  /** The number of the last run that used it. */
  usedBy = 0;
  /** Its index in the list of resident arrays. */
  index = -1;

  constructor(dtype: DType, size: number, home: Residency) {
    this.dtype = dtype;
    this.size = size;
    this.bytes = Heap.blockSize(size * (dtype === 'float32' ? 4 : 8));
    this.home = home;
  }
}

/** An array and its last run, as of the last time the list was sorted. */
interface Idle {
  readonly storage: WasmStorage;
  readonly usedBy: number;
}

/** A typed array at an address. Growing the memory detaches earlier views, so one is made for each use. */
export type View = (address: number, storage: WasmStorage) => FloatArray;

export class Residency {
  /** How often an array moved out or in, and how often all arrays were moved together. */
  readonly moves: { out: number; in: number; together: number } = { out: 0, in: 0, together: 0 };

  private heap: Heap;
  private readonly view: View;
  private budget = BUDGET;
  private runs = 0;
  private room = ROOM.least;
  /** The number of the run for which all arrays were last moved together. */
  private compactedBy = -SOON;
  private traffic: Traffic = { out: 0, in: 0 };
  /** The traffic up to the last sort. */
  private before: Traffic = this.traffic;
  /** All arrays in WebAssembly memory, unordered: a run only writes its number to each array it uses. */
  private readonly resident: WasmStorage[] = [];
  /** The arrays that were resident at the last sort, the least recently used one at the end. */
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
   * Call this before each run. Its inputs move in. When its outputs have been placed, too, all of them keep their
   * addresses until the next run.
   */
  begin(inputs: readonly WasmStorage[]): void {
    this.runs++;
    for (const input of inputs) input.usedBy = this.runs;
    for (const input of inputs) if (input.address === 0) this.moveIn(input);
  }

  /** Allocates memory for an array; moves others out if necessary. */
  place(storage: WasmStorage): void {
    const { bytes } = storage;
    while (this.heap.inUse + bytes > this.budget && this.moveOldestOut(bytes));
    storage.address = this.heap.allocate(bytes) ?? this.makeRoom(bytes);
    storage.usedBy = this.runs;
    storage.index = this.resident.push(storage) - 1;
  }

  /** The values of an array, in WebAssembly memory or outside. */
  valuesOf(storage: WasmStorage): FloatArray {
    if (storage.address !== 0) return this.view(storage.address, storage);
    if (storage.away !== null) return storage.away.values;
    throw new DeviceError(
      'wasm',
      'the tensor was computed in a scope() which has ended',
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

  /** Moves all arrays out and goes on with another memory; `change` makes it the one that is viewed. */
  moveTo(heap: Heap, change: () => void): void {
    this.begin([]);
    while (this.moveOldestOut(0));
    change();
    this.heap = heap;
  }

  /** The address of a block, after the memory has grown or its arrays have been moved together, or out. */
  private makeRoom(bytes: number): number {
    const { inUse } = this.heap;
    while (!this.heap.reserve(bytes, ROOM.least) && this.moveOldestOut(bytes)) {
      this.budget = Math.min(this.budget, this.heap.inUse + bytes); // the memory cannot grow
    }
    let address = this.heap.allocate(bytes);
    if (address === null && this.runs - this.compactedBy < SOON) {
      this.room = Math.min(ROOM.most, this.room + ROOM.step);
      if (this.heap.reserve(bytes, this.room)) address = this.heap.allocate(bytes);
    }
    if (address !== null) return address;
    this.compact();
    address = this.heap.allocate(bytes);
    if (address === null) throw outOfMemory(bytes, inUse);
    return address;
  }

  /** Moves all arrays together, in order of address, so that the unused memory is one block. */
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
    this.compactedBy = this.runs;
    this.moves.together++;
  }

  /** Moves the least recently used array out, for `asked` bytes; false if only this run's arrays remain. */
  private moveOldestOut(asked: number): boolean {
    const storage = this.nextIdle() ?? this.firstIdle();
    if (storage === null) return false;
    const { bytes, usedBy } = storage;
    if (this.runs - usedBy > LONG && this.budget > BUDGET) {
      this.budget = Math.max(BUDGET, this.budget - bytes);
    }
    const wanted = this.heap.inUse + asked;
    const values = this.view(storage.address, storage).slice();
    this.traffic = { ...this.traffic, out: this.traffic.out + bytes };
    storage.away = { values, usedBy, wanted, out: this.traffic.out, before: this.before };
    this.remove(storage);
    this.heap.free(storage.address, bytes);
    storage.address = 0;
    this.moves.out++;
    return true;
  }

  private moveIn(storage: WasmStorage): void {
    const values = this.valuesOf(storage);
    if (storage.away !== null) this.raiseBudget(storage.away, storage.bytes);
    this.place(storage);
    this.view(storage.address, storage).set(values);
    storage.away = null;
    this.moves.in++;
  }

  /**
   * Raises the budget when an array moves in again, if a good part of what moved out since the sort before it did has
   * moved in again, too. A quarter more than is needed is for small arrays that come and go.
   */
  private raiseBudget({ usedBy, wanted, out, before }: Away, bytes: number): void {
    this.traffic = { ...this.traffic, in: this.traffic.in + bytes };
    const ratio = this.runs - usedBy <= SOON ? WORTHWHILE.soon : WORTHWHILE.later;
    if (this.traffic.out - before.out > ratio * (this.traffic.in - before.in)) return;
    const enough = 1.25 * (wanted + this.traffic.out - out);
    this.budget = Math.max(this.budget, Math.min(enough, this.budget + 2 * bytes));
  }

  /** Sorts all arrays by last use. Arrays used or made after the last sort are newer than all that it left. */
  private firstIdle(): WasmStorage | null {
    this.idle = this.resident.map((storage) => ({ storage, usedBy: storage.usedBy }));
    this.idle.sort((a, b) => b.usedBy - a.usedBy);
    this.before = this.traffic;
    return this.nextIdle();
  }

  /** The least recently used array of the last sort that was not used since. */
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
    "use smaller batches, or the device 'cpu'; existing tensors are unchanged",
  );
}
