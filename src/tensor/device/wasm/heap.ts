/**
 * Which parts of a linear memory are in use. Blocks are whole multiples of {@link GRAIN} bytes, so that
 * kernels may read and write whole vectors at an array's end.
 *
 * A training step asks for the same sizes again and again, so freed blocks wait in a bin of their size, the
 * last one in is the first one out, and is still in the processor's cache. Only where that leaves no room
 * are neighbours joined, and larger blocks split; that takes time, and what belongs together then lies far apart,
 * so whoever can move the blocks in use had better do so.
 */

/** Bytes. A cache line; more than any kernel reads beyond the end of its array. */
export const GRAIN = 64;

/**
 * Bytes. Large arrays of whole pages would all begin at the same place of a page, and the first cache has few places for
 * what lies at the same one; so each begins a little later than the one before.
 */
const LARGE = 2 ** 16;
const PAGE = 4096;
const STAGGER = 17 * GRAIN;

/** Makes room up to an end, or says that it cannot. */
export type Grow = (end: number) => boolean;

export class Heap {
  /** Bytes of all blocks in use. */
  inUse = 0;
  /** Where the first block lies. */
  readonly start: number;
  /** Whether a larger block had to be split since all blocks in use lay side by side. */
  private split = false;

  private readonly bins = new Map<number, number[]>();
  /** Everything from here on is free. */
  private top: number;
  private end: number;
  private readonly grow: Grow;

  /** The free memory is from `start` to `end`, addresses in bytes; `grow` moves the end. */
  constructor(start: number, end: number, grow: Grow) {
    this.start = Math.ceil(start / GRAIN) * GRAIN;
    this.top = this.start;
    this.end = end;
    this.grow = grow;
  }

  /** The size of the block that holds so many bytes. */
  static blockSize(bytes: number): number {
    const staggered = bytes >= LARGE && bytes % PAGE === 0 ? bytes + STAGGER : bytes;
    return Math.max(GRAIN, Math.ceil(staggered / GRAIN) * GRAIN);
  }

  /** The address of a free block, or null where there is none, and memory cannot grow. */
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
   * Whether it is time to move the blocks in use together: else allocations go on to be slow, and enough is free that it
   * will not be time again soon.
   */
  get isScattered(): boolean {
    return this.split && 4 * (this.end - this.start - this.inUse) > this.inUse;
  }

  /** To be called when all blocks in use lie side by side, from `start` on. */
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

  /** A guard of one grain stays at the end: kernels may read beyond the last array. */
  private fromTop(size: number): number | null {
    if (this.top + size + GRAIN > this.end) return null;
    const address = this.top;
    this.top += size;
    return address;
  }

  /** The smallest free block that is large enough, once neighbours are joined; what is left of it stays free. */
  private fromLarger(size: number): number | null {
    this.join();
    const fits = [...this.bins.keys()].filter((bin) => bin >= size);
    if (fits.length === 0) return this.fromTop(size); // joined with the end, there may be room
    this.split = true;
    const best = Math.min(...fits);
    const bin = this.bins.get(best) ?? [];
    const address = bin.pop() ?? 0;
    if (bin.length === 0) this.bins.delete(best);
    if (best > size) this.intoBin(address + size, best - size);
    return address;
  }

  /** Joins free neighbours; the last of them with what was never used. */
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

  /** From new memory: a quarter more than there is, so that it does not grow often, or just enough. */
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
