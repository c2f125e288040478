/** Tests of the allocator of WebAssembly memory, by random sequences of allocations and frees. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRAIN, Heap } from '../../../../src/tensor/device/wasm/heap.ts';

const START = 1000; // not a multiple of GRAIN
const FIRST = Math.ceil(START / GRAIN) * GRAIN;

interface Block {
  readonly address: number;
  readonly size: number;
}

/** A heap whose memory may grow up to a limit, and a model of it: the blocks in use. */
class Model {
  readonly live: Block[] = [];
  readonly heap: Heap;
  growths = 0;
  end: number;
  private asked = 0;

  constructor(end: number, limit: number) {
    this.end = end;
    this.heap = new Heap(START, end, (needed) => {
      expect(this.largestGap()).toBeLessThan(this.asked); // it grows only if there is no room
      if (needed > limit) return false;
      this.end = needed;
      this.growths++;
      return true;
    });
  }

  /** Allocates a block and checks that it overlaps no other. Returns whether there was room. */
  allocate(bytes: number): boolean {
    const size = Heap.blockSize(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    this.asked = size;
    const address = this.heap.allocate(size);
    if (address === null) return false;
    expect(address % GRAIN).toBe(0);
    expect(address).toBeGreaterThanOrEqual(START);
    expect(address + size + GRAIN).toBeLessThanOrEqual(this.end); // kernels read beyond an array's end
    const overlap = this.live.find(
      (block) => block.address < address + size && address < block.address + block.size,
    );
    expect(overlap).toBeUndefined();
    this.live.push({ address, size });
    return true;
  }

  free(which: number): void {
    if (this.live.length === 0) return;
    const [{ address, size }] = this.live.splice(which % this.live.length, 1);
    this.heap.free(address, size);
  }

  /** The largest free gap in the present memory, without the guard at its end. */
  largestGap(): number {
    const blocks = this.live.toSorted((a, b) => a.address - b.address);
    const ends = [FIRST, ...blocks.map(({ address, size }) => address + size)];
    const begins = [...blocks.map(({ address }) => address), this.end - GRAIN];
    return Math.max(...begins.map((begin, k) => begin - ends[k]));
  }
}

/** A few sizes that recur, as in training, and arbitrary others. */
const sizes = fc.oneof(fc.constantFrom(0, 1, 64, 65, 400, 1200, 3136), fc.nat(5000));
const traces = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: sizes.map((bytes) => ({ bytes })) },
    { weight: 2, arbitrary: fc.nat().map((free) => ({ free })) },
  ),
  { maxLength: 200, size: 'max' },
);

describe('for any sequence of allocations and frees', () => {
  it('blocks are aligned, inside the memory and disjoint; memory grows or is refused only if there is no room', () => {
    fc.assert(
      fc.property(traces, fc.integer({ min: 2_000, max: 60_000 }), fc.nat(60_000), (trace, end, more) => {
        const model = new Model(end, end + more);
        for (const step of trace) {
          if ('free' in step) model.free(step.free);
          else if (!model.allocate(step.bytes)) {
            expect(model.largestGap()).toBeLessThan(Heap.blockSize(step.bytes));
          }
          expect(model.heap.inUse).toBe(model.live.reduce((sum, { size }) => sum + size, 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('all memory is one free block once every block is freed, in any order', () => {
    fc.assert(
      fc.property(traces, fc.nat(), (trace, order) => {
        const model = new Model(30_000, 300_000);
        for (const step of trace) {
          if ('free' in step) model.free(step.free);
          else model.allocate(step.bytes);
        }
        for (let k = order; model.live.length > 0; k += 7) model.free(k);
        const { growths } = model;
        const all = Math.floor((model.end - GRAIN - FIRST) / GRAIN) * GRAIN;
        expect(model.heap.inUse).toBe(0);
        expect(model.allocate(all)).toBe(true);
        expect(model.growths).toBe(growths);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a heap', () => {
  it('reuses the block of a size that was freed last, which is still in the cache', () => {
    const heap = new Heap(0, 1e6, () => false);
    const [a, b, c] = [640, 640, 640].map((size) => heap.allocate(size) ?? -1);
    heap.free(a, 640);
    heap.free(c, 640);
    expect([heap.allocate(640), heap.allocate(640)]).toEqual([c, a]);
    expect(b).not.toBe(a);
  });

  it('splits a larger block if no block of the size is free, and joins the parts again', () => {
    const heap = new Heap(0, 1024 + 64 + GRAIN, () => false);
    const whole = heap.allocate(1024) ?? -1;
    heap.allocate(64); // stays, so that the free block is not at the end
    expect(heap.allocate(64)).toBeNull();
    heap.free(whole, 1024);
    const parts = Array.from({ length: 16 }, () => heap.allocate(64) ?? -1);
    expect(new Set(parts).size).toBe(16);
    expect(heap.allocate(64)).toBeNull();
    for (const part of parts.toReversed()) heap.free(part, 64);
    expect(heap.allocate(1024)).toBe(whole);
  });

  it('takes the smallest block that is large enough', () => {
    const heap = new Heap(0, 64 * 100, () => false);
    const [large, , small] = [640, 64, 320].map((size) => heap.allocate(size) ?? -1);
    heap.allocate(64 * 99 - 64 * 16); // the rest
    heap.free(large, 640);
    heap.free(small, 320);
    expect(heap.allocate(256)).toBe(small);
    expect(heap.allocate(640)).toBe(large);
  });

  it('grows by a quarter, or else by just enough', () => {
    const ends: number[] = [];
    const growing = (limit: number) => new Heap(0, 64_000, (end) => (ends.push(end), end <= limit));
    const free = growing(Infinity);
    free.allocate(64_000 - GRAIN);
    expect(ends).toEqual([]);
    expect(free.allocate(64)).toBe(64_000 - GRAIN);
    expect(ends.splice(0)).toEqual([80_000]);
    const tight = growing(70_000);
    tight.allocate(64_000 - GRAIN);
    expect(tight.allocate(640)).toBe(64_000 - GRAIN);
    expect(ends.splice(0)).toEqual([80_000, 64_640]);
    expect(tight.allocate(64_000)).toBeNull();
    expect(tight.inUse).toBe(64_000 - GRAIN + 640);
  });

  it('is scattered once a block was split and much is free, until the blocks are moved together', () => {
    const heap = new Heap(0, 6400 + GRAIN, () => false);
    const blocks = Array.from({ length: 10 }, () => heap.allocate(640) ?? -1);
    for (const block of [0, 2, 4, 6]) heap.free(blocks[block], 640);
    expect(heap.isScattered).toBe(false);
    heap.allocate(64);
    expect(heap.isScattered).toBe(true);
    heap.compacted();
    expect(heap.isScattered).toBe(false);
    expect(heap.allocate(640)).toBe(6 * 640 + 64);
  });
});

it('places large arrays of whole pages at different offsets within a page', () => {
  const heap = new Heap(START, 2 ** 24, () => false);
  const places = Array.from({ length: 3 }, () => (heap.allocate(Heap.blockSize(2 ** 17)) ?? NaN) % 4096);
  expect(new Set(places).size).toBe(3);
});
