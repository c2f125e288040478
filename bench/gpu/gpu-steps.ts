/** Times the training step on each GPU and on `wasm`, in turns, at growing batches. */
import { DisagreesError } from '../validate.ts';
import type { Sizes } from './gpu-subjects.ts';
import type { GpuName } from './options.ts';
import type { NetAndBatch, ReadingTiming, StepTiming } from './gpu-report.ts';
import { trainerOn } from './trainer.ts';
import { timeInTurns } from './turns.ts';

/** The number of losses that are compared with those of `wasm`, and their relative tolerance. */
const STEPS = 8;
const TOLERANCE = 1e-3;

export function stepCases({ software, quick }: Sizes): NetAndBatch[] {
  const batches = quick ? [32] : software ? [32, 128] : [32, 128, 256, 512, 1024, 4096];
  const usual = (['plain', 'bn'] as const).flatMap((net) => batches.map((batch) => ({ net, batch })));
  if (software) return usual;
  const wide = (['plain, 2048 wide', 'bn, 2048 wide'] as const).flatMap((net) =>
    (quick ? [256] : [256, 4096]).map((batch) => ({ net, batch })),
  );
  return [...usual, ...wide];
}

/** `wasm` would take seconds for such a step, so the GPUs are only compared with each other. */
const tooLargeForWasm = ({ net, batch }: NetAndBatch): boolean => net.endsWith('wide') && batch > 256;

/** The cases for reading losses and counting calls: from a step with almost no computation to a large one. */
export function handlingCases({ software, quick }: Sizes): NetAndBatch[] {
  const small = { net: 'small', batch: 8 } as const;
  if (quick) return [small];
  const larger = software ? [] : [1024];
  return [small, ...[32, ...larger].map((batch) => ({ net: 'bn' as const, batch }))];
}

/**
 * Checks that the losses on each GPU are those of `wasm`, then times a step on each.
 *
 * @throws {DisagreesError} A loss differs.
 */
export async function timeSteps(
  netAndBatch: NetAndBatch,
  gpus: readonly GpuName[],
  quick: boolean,
): Promise<StepTiming[]> {
  const devices = tooLargeForWasm(netAndBatch) ? gpus : (['wasm', ...gpus] as const);
  const steps = netAndBatch.net.endsWith('wide') ? 2 : STEPS;
  const trainers = [];
  const losses: number[][] = [];
  for (const device of devices) {
    const trainer = await trainerOn(device, netAndBatch);
    trainers.push(trainer);
    losses.push(await trainer.losses(steps));
    expectSame(`step ${netAndBatch.net} ${netAndBatch.batch} on ${device}`, losses[0], losses.at(-1) ?? []);
  }
  const sampled = await timeInTurns(
    trainers.map((trainer) => trainer.run),
    { quick },
  );
  return sampled.map((each, k) => ({ ...netAndBatch, device: devices[k], ...each }));
}

/** The number of steps between two reads. */
const SELDOM = 16;

/** Times a step whose loss is read after each step, and one whose loss is read after every 16th. */
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

/** @throws {DisagreesError} A loss differs by more than the tolerance. */
export function expectSame(
  what: string,
  expected: readonly number[],
  found: readonly number[],
  tolerance: number = TOLERANCE,
): void {
  expected.forEach((loss, k) => {
    if (Math.abs(found[k] - loss) <= tolerance * Math.abs(loss)) return;
    throw new DisagreesError(`${what}: loss ${k} is ${found[k]} and should be ${loss}`);
  });
}
