/** Times a training step on WebGPU when each kernel is submitted separately, and when several share a submit. */
import type { NetAndBatch, SubmitTiming } from './gpu-report.ts';
import { expectSame } from './gpu-steps.ts';
import { type Trainer, trainerOn } from './trainer.ts';
import { timeInTurns } from './turns.ts';
import { type Counts, interpose, type WebGpuClasses, webGpuClasses } from './web-gpu-queue.ts';

/** The largest number of commands in one submit; null leaves gpu.js as it is. */
const together = {
  'each kernel': null,
  'each kernel, unchanged writes dropped': 1,
  'up to 16 kernels': 16,
  'up to 256 kernels': 256,
} as const;

export type SubmitMode = keyof typeof together;
const modes = Object.keys(together) as SubmitMode[];

const STEPS = 8;

/**
 * Checks that the losses of all modes are identical, bit for bit, then times a step in each mode.
 *
 * @throws {DisagreesError} A loss differs.
 */
export async function timeSubmits(netAndBatch: NetAndBatch, quick: boolean): Promise<SubmitTiming[]> {
  const classes = await webGpuClasses();
  const trainers: Trainer[] = [];
  const counts: Counts[] = [];
  const losses: number[][] = [];
  for (const mode of modes) {
    const trainer = await trainerOn('webgpu', netAndBatch);
    await submitting(classes, mode, async () => losses.push(await trainer.losses(STEPS)));
    expectSame(
      `step ${netAndBatch.net} ${netAndBatch.batch}, submitting ${mode}`,
      losses[0],
      losses[trainers.length],
      0,
    );
    trainers.push(trainer);
    const counted = await submitting(classes, mode, () => trainer.run(STEPS));
    counts.push(counted);
  }
  const blocks = modes.map((mode, k) => async (steps: number) => {
    await submitting(classes, mode, () => trainers[k].run(steps));
  });
  const sampled = await timeInTurns(blocks, { quick });
  return modes.map((mode, k) => ({
    ...netAndBatch,
    mode,
    ...sampled[k],
    submitsPerStep: counts[k].submits / STEPS,
    writesPerStep: counts[k].writes / STEPS,
  }));
}

async function submitting(
  classes: WebGpuClasses,
  mode: SubmitMode,
  work: () => Promise<unknown>,
): Promise<Counts> {
  const interposed = interpose(classes, together[mode]);
  try {
    await work();
  } finally {
    interposed.restore();
  }
  return interposed.counts;
}
