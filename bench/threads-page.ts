/** The script of the page in which `threads-in-chromium.ts` times training steps. */
import { nets } from '../src/networks.ts';
import type { StepCase } from './step-timing.ts';
import { openThreads, type ThreadTiming, timeInTurns, type Turns } from './thread-timing.ts';
import { stepOf, trainingOf } from './training.ts';

/** What the page is asked to time. */
export interface PageTask extends StepCase {
  readonly threads: number;
  readonly turns: Turns;
}

async function timeStep({ net, batch, inputs, threads, turns }: PageTask): Promise<readonly ThreadTiming[]> {
  const pool = await openThreads(threads);
  if (pool.ready < threads - 1) throw new Error(`a worker did not start: ${pool.lossReason}`);
  const training = trainingOf(nets[net], 784, batch, inputs);
  return timeInTurns({ pool, counts: [threads], work: () => stepOf(training).dataSync() }, turns);
}

Object.assign(globalThis, { timeStep });
