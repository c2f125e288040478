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

/** A heap whose memory does not grow, and a model of it: the blocks in use, the free ones, and the unused memory. */
class Model {
  readonly live: Block[] = [];
  readonly heap: Heap;
  private readonly freed: Block[] = [];
  private top = FIRST;
  readonly end: number;

  constructor(end: number) {
    this.end = end;
    this.heap = new Heap(START, end, () => false);
  }

  /** Allocates a block and checks where it is. */
  allocate(bytes: number): void {
    const size = Heap.blockSize(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    const address = this.heap.allocate(size);
    const reused = this.freed.findLastIndex((block) => block.size === size);
    const fits = this.top + size + GRAIN <= this.end; // kernels read beyond an array's end
    expect(address).toBe(reused >= 0 ? this.freed[reused].address : fits ? this.top : null);
    if (reused >= 0) this.freed.splice(reused, 1);
    else if (fits) this.top += size;
    if (address !== null) this.live.push({ address, size });
  }

  free(which: number): void {
    if (this.live.length === 0) return;
    const [block] = this.live.splice(which % this.live.length, 1);
    this.heap.free(block.address, block.size);
    this.freed.push(block);
  }

  /** Moves all blocks together. */
  compact(): void {
    this.freed.length = 0;
    this.top = FIRST;
    for (const [k, { size }] of this.live.entries()) {
      this.live[k] = { address: this.top, size };
      this.top += size;
    }
    this.heap.compacted();
  }
}

/** A few sizes that recur, as in training, and arbitrary others. */
const sizes = fc.oneof(fc.constantFrom(0, 1, 64, 65, 400, 1200, 3136), fc.nat(5000));
const traces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: sizes.map((bytes) => ({ bytes })) },
    { weight: 4, arbitrary: fc.nat().map((free) => ({ free })) },
    { weight: 1, arbitrary: fc.constant({ compact: true }) },
  ),
  { maxLength: 200, size: 'max' },
);

it('a block is the one of its size that was freed last, or unused memory; blocks are aligned and disjoint', () => {
  fc.assert(
    fc.property(traces, fc.integer({ min: 2_000, max: 60_000 }), (trace, end) => {
      const model = new Model(end);
      for (const step of trace) {
        if ('free' in step) model.free(step.free);
        else if ('bytes' in step) model.allocate(step.bytes);
        else model.compact();
        expect(model.heap.inUse).toBe(model.live.reduce((sum, { size }) => sum + size, 0));
      }
      const blocks = model.live.toSorted((a, b) => a.address - b.address);
      blocks.forEach(({ address }, k) => {
        expect(address % GRAIN).toBe(0);
        if (k > 0) expect(address).toBeGreaterThanOrEqual(blocks[k - 1].address + blocks[k - 1].size);
      });
    }),
    { numRuns: 300 },
  );
});

describe('reserving memory', () => {
  const ends: number[] = [];
  const growing = (limit: number) => new Heap(0, 64_000, (end) => (ends.push(end), end <= limit));

  it('grows by a quarter, or else by just enough, so that a fifth stays free', () => {
    const free = growing(Infinity);
    expect(free.reserve(51_100, 1.25)).toBe(true);
    expect(ends).toEqual([]);
    expect(free.reserve(51_200, 1.25)).toBe(true); // 64,000 with the quarter, and a grain
    expect(free.reserve(80_000, 1.25)).toBe(true);
    expect(ends.splice(0)).toEqual([80_000, 100_064]);
    const tight = growing(70_000);
    expect(tight.reserve(51_200, 1.25)).toBe(true);
    expect(ends.splice(0)).toEqual([80_000, 64_064]);
  });

  it('counts the blocks in use, and returns false if it cannot grow so much', () => {
    const heap = growing(0);
    expect(heap.allocate(32_000)).toBe(0);
    expect(heap.reserve(19_100, 1.25)).toBe(true);
    expect(heap.reserve(19_200, 1.25)).toBe(false);
    expect(ends.splice(0)).toEqual([80_000, 64_064]);
    expect(heap.allocate(32_000)).toBeNull();
    expect(heap.allocate(32_000 - GRAIN)).toBe(32_000);
  });
});

it('places large arrays of whole pages at different offsets within a page', () => {
  const heap = new Heap(START, 2 ** 24, () => false);
  const places = Array.from({ length: 3 }, () => (heap.allocate(Heap.blockSize(2 ** 17)) ?? NaN) % 4096);
  expect(new Set(places).size).toBe(3);
});
