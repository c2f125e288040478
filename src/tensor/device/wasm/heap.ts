/**
 * The allocator of a linear memory. Block sizes are multiples of {@link GRAIN} bytes, so that kernels may read and
 * write whole vectors at the end of an array.
 *
 * A training step asks for the same sizes again and again. So a freed block goes to a bin of its size, and the block
 * freed last is reused first: it is still in the processor's cache. A size without a free block gets memory that was
 * never used. When that is used up, the owner of the heap lets the memory grow ({@link Heap.reserve}), or moves all
 * blocks in use together ({@link Heap.compacted}).
 */

/** Bytes: a cache line, which is more than any kernel reads beyond the end of its array. */
export const GRAIN = 64;

/**
 * Bytes. Without padding, large arrays of whole pages would all begin at the same offset within a page, and compete for
 * the same few L1 cache sets. `STAGGER` bytes of padding give each array another offset.
 */
const LARGE = 2 ** 16;
const PAGE = 4096;
const STAGGER = 17 * GRAIN;

/** Grows the memory up to the address `end`; false if it cannot. */
export type Grow = (end: number) => boolean;

export class Heap {
  /** The bytes of all blocks in use. */
  inUse = 0;
  /** The address of the first block. */
  readonly start: number;

  private readonly bins = new Map<number, number[]>();
  /** All memory from this address on is unused. */
  private top: number;
  private end: number;
  private readonly grow: Grow;

  /** Manages the memory from address `start` to `end`, in bytes; `grow` moves the end. */
  constructor(start: number, end: number, grow: Grow) {
    this.start = Math.ceil(start / GRAIN) * GRAIN;
    this.top = this.start;
    this.end = end;
    this.grow = grow;
  }

  /** The size of a block that holds `bytes` bytes. */
  static blockSize(bytes: number): number {
    const staggered = bytes >= LARGE && bytes % PAGE === 0 ? bytes + STAGGER : bytes;
    return Math.max(GRAIN, Math.ceil(staggered / GRAIN) * GRAIN);
  }

  /** The address of a block, or null if no block of this size is free and too little memory is unused. */
  allocate(size: number): number | null {
    const address = this.bins.get(size)?.pop() ?? this.fromTop(size);
    if (address !== null) this.inUse += size;
    return address;
  }

  free(address: number, size: number): void {
    this.inUse -= size;
    const bin = this.bins.get(size);
    if (bin === undefined) this.bins.set(size, [address]);
    else bin.push(address);
  }

  /**
   * Provides memory of `room` times the blocks in use and a further one of `size` bytes, so that it lasts for a while,
   * also after the blocks were moved together. Grows by a quarter at least. Returns false if it cannot grow so much.
   */
  reserve(size: number, room: number): boolean {
    const needed = this.start + Math.ceil(room * (this.inUse + size)) + GRAIN;
    if (needed <= this.end) return true;
    for (const end of [Math.max(needed, Math.ceil(1.25 * this.end)), needed]) {
      if (!this.grow(end)) continue;
      this.end = end;
      return true;
    }
    return false;
  }

  /** Call this when all blocks in use have been moved together, from `start` on. */
  compacted(): void {
    this.bins.clear();
    this.top = this.start + this.inUse;
  }

  /** A block of unused memory. One grain stays free at the end: kernels may read beyond the last array. */
  private fromTop(size: number): number | null {
    if (this.top + size + GRAIN > this.end) return null;
    const address = this.top;
    this.top += size;
    return address;
  }
}
