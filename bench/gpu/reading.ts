/** What it costs to read the loss of each step, beside that of every 16th. */
import type { GpuName } from './options.ts';
import type { NetAndBatch, ReadingTiming } from './report.ts';
import { trainerOn } from './trainer.ts';
import { timeInTurns } from './turns.ts';

/** Between two reads. */
const SELDOM = 16;

export async function timeReading(
  netAndBatch: NetAndBatch,
  device: GpuName,
  quick: boolean,
): Promise<ReadingTiming> {
  const trainer = await trainerOn(device, netAndBatch);
  const [each, seldom] = await timeInTurns(
    [(steps) => trainer.run(steps, 1), (steps) => trainer.run(steps, SELDOM)],
    { quick, multiple: SELDOM },
  );
  return { ...netAndBatch, device, each, seldom };
}
