/**
 * Times work on devices that compute asynchronously. A block of repetitions ends when its result has been read, and its
 * time is divided by the number of repetitions. Compared blocks run in turns, so that a slow moment affects all of them.
 */
import { median } from '../statistics.ts';

/** The time of one repetition in seconds, over several blocks. */
export interface Sampled {
  /** The median. */
  readonly seconds: number;
  readonly least: number;
  readonly most: number;
  /** The number of blocks, and of repetitions in each. */
  readonly samples: number;
  readonly repetitions: number;
}

/** Repeats the timed work, and returns when all of it is done. */
export type Block = (repetitions: number) => Promise<void>;

export interface TurnOptions {
  readonly quick: boolean;
  /** The number of repetitions is a multiple of this. Default 1. */
  readonly multiple?: number;
  /** The largest number of repetitions, whose results stay in memory until the block ends. Default 4096. */
  readonly atMost?: number;
}

/** A block that takes longer than this, in seconds, is repeated only a few times. */
const SLOW = 0.3;

/**
 * Times blocks in turns. A warm-up first finds how many repetitions make a block long enough.
 *
 * @returns One result for each block.
 */
export async function timeInTurns(
  blocks: readonly Block[],
  { quick, multiple = 1, atMost = 4096 }: TurnOptions,
): Promise<Sampled[]> {
  const target = quick ? 0.02 : 0.1;
  const repetitions: number[] = [];
  let slowest = 0;
  for (const block of blocks) {
    const warm = await warmUp(block, target, multiple, atMost);
    repetitions.push(warm.repetitions);
    slowest = Math.max(slowest, warm.seconds);
  }
  const rounds = quick || slowest > SLOW ? 3 : 5;
  const samples: number[][] = blocks.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, block] of blocks.entries()) {
      samples[k].push((await secondsOf(() => block(repetitions[k]))) / repetitions[k]);
    }
  }
  return samples.map((seconds, k) => ({
    seconds: median(seconds),
    least: Math.min(...seconds),
    most: Math.max(...seconds),
    samples: rounds,
    repetitions: repetitions[k],
  }));
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

/** Runs longer and longer blocks until one takes at least `target` seconds. */
async function warmUp(
  block: Block,
  target: number,
  multiple: number,
  atMost: number,
): Promise<{ repetitions: number; seconds: number }> {
  let repetitions = multiple;
  for (;;) {
    const seconds = await secondsOf(() => block(repetitions));
    if (seconds >= target || repetitions >= atMost) return { repetitions, seconds };
    const growth = Math.min(10, Math.max(1.5, (1.2 * target) / seconds));
    const wanted = multiple * Math.ceil((growth * repetitions) / multiple);
    repetitions = Math.min(Math.max(multiple, atMost), wanted);
  }
}
