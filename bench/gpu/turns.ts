/**
 * Takes time on devices that are only asked, and answer later: a block of repetitions ends when its result has been
 * read, and its time is shared among them. What is compared takes turns, so that both see the same machine.
 */
import { median } from '../statistics.ts';

/** How long one repetition takes, over blocks of them. In seconds. */
export interface Sampled {
  /** The median. */
  readonly seconds: number;
  readonly least: number;
  readonly most: number;
  /** How many blocks, and how many repetitions in each. */
  readonly samples: number;
  readonly repetitions: number;
}

/** Repeats what is timed so often, and returns when all of it is done. */
export type Block = (repetitions: number) => Promise<void>;

export interface TurnOptions {
  readonly quick: boolean;
  /** A block has a multiple of this many repetitions. Default 1. */
  readonly multiple?: number;
  /** And no more than this: what they leave behind is in memory until the block ends. Default 4096. */
  readonly atMost?: number;
}

/** A block beyond this, in seconds, is repeated a few times only. */
const SLOW = 1;

/**
 * Times blocks in turns, after a warm-up that finds out how many repetitions make a block long enough.
 *
 * @returns One for each of the blocks.
 */
export async function timeInTurns(
  blocks: readonly Block[],
  { quick, multiple = 1, atMost = 4096 }: TurnOptions,
): Promise<Sampled[]> {
  const target = quick ? 0.02 : 0.2;
  const repetitions: number[] = [];
  let slowest = 0;
  for (const block of blocks) {
    const warm = await warmUp(block, target, multiple, atMost);
    repetitions.push(warm.repetitions);
    slowest = Math.max(slowest, warm.seconds);
  }
  const rounds = quick || slowest > SLOW ? 3 : 7;
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

/** Longer and longer blocks, until one takes as long as it should. */
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
