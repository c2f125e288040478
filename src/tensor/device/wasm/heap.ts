/**
 * The allocator of a linear memory. Block sizes are multiples of {@link GRAIN} bytes, so that kernels may read and
 * write whole vectors at the end of an array.
 *
 * A training step asks for the same sizes again and again. So a freed block goes to a bin of its size, and the block
 * freed last is reused first: it is still in the processor's cache. When the bins and the unused memory have no room,
 * free neighbours are joined and larger blocks are split. That is slow and scatters the blocks in use; the owner of
 * the heap should then move them together (see {@link Heap.isScattered}).
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
  /** Whether a block was split since the blocks in use were last moved together. */
  private split = false;

  private readonly bins = new Map<number, number[]>();
  /** All memory from this address on is free. */
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

  /** The address of a free block, or null if there is none and the memory cannot grow. */
  allocate(size: number): number | null {
    const address =
      this.bins.get(size)?.pop() ?? this.fromTop(size) ?? this.fromLarger(size) ?? this.grown(size);
    if (address !== null) this.inUse += size;
    return address;
  }

  free(address: number, size: number): void {
    this.inUse -= size;
    this.intoBin(address, size);
  }

  /**
   * Whether the blocks in use should be moved together: allocations have become slow, and enough memory is free that
   * this will not be necessary again soon.
   */
  get isScattered(): boolean {
    return this.split && 4 * (this.end - this.start - this.inUse) > this.inUse;
  }

  /** Call this when all blocks in use have been moved together, from `start` on. */
  compacted(): void {
    this.bins.clear();
    this.top = this.start + this.inUse;
    this.split = false;
  }

  private intoBin(address: number, size: number): void {
    const bin = this.bins.get(size);
    if (bin === undefined) this.bins.set(size, [address]);
    else bin.push(address);
  }

  /** A block of memory that was never used. One grain stays free at the end: kernels may read beyond the last array. */
  private fromTop(size: number): number | null {
    if (this.top + size + GRAIN > this.end) return null;
    const address = this.top;
    this.top += size;
    return address;
  }

  /** Joins free neighbours and takes the smallest free block that is large enough; its remainder stays free. */
  private fromLarger(size: number): number | null {
    this.join();
    const fits = [...this.bins.keys()].filter((bin) => bin >= size);
    if (fits.length === 0) return this.fromTop(size); // joining may have enlarged the unused memory
    this.split = true;
    const best = Math.min(...fits);
    const bin = this.bins.get(best) ?? [];
    const address = bin.pop() ?? 0;
    if (bin.length === 0) this.bins.delete(best);
    if (best > size) this.intoBin(address + size, best - size);
    return address;
  }

  /** Joins free neighbours, and those at the end with the unused memory. */
  private join(): void {
    const blocks = [...this.bins].flatMap(([size, addresses]) =>
      addresses.map((address) => ({ address, size })),
    );
    blocks.sort((a, b) => a.address - b.address);
    this.bins.clear();
    let [address, size] = [0, 0];
    const close = () => {
      if (size === 0) return;
      if (address + size === this.top) this.top = address;
      else this.intoBin(address, size);
    };
    for (const block of blocks) {
      if (size > 0 && address + size === block.address) {
        size += block.size;
      } else {
        close();
        ({ address, size } = block);
      }
    }
    close();
  }

  /** Grows the memory by a quarter, so that it grows rarely, or else by just enough. */
  private grown(size: number): number | null {
    const needed = this.top + size + GRAIN;
    for (const end of [Math.max(needed, Math.ceil(this.end * 1.25)), needed]) {
      if (!this.grow(end)) continue;
      this.end = end;
      return this.fromTop(size);
    }
    return null;
  }
}
