/** Times the training step of the networks `plain` and `bn`, and its parts. */
import { type NetName, nets } from '../src/networks.ts';
import { mean, median } from './statistics.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';
import { type Inputs, stepOf, type Training, trainingOf } from './training.ts';

export interface StepCase {
  readonly net: NetName;
  readonly batch: number;
  readonly inputs: Inputs;
}

export interface StepTiming extends StepCase, Timing {
  readonly parts: Parts;
}

/** Medians in seconds, measured over separate steps. */
export interface Parts {
  readonly forward: number;
  readonly backward: number;
  readonly update: number;
}

export const stepCases: readonly StepCase[] = (['digits', 'noise'] as const).flatMap((inputs) =>
  (['plain', 'bn'] as const).flatMap((net) => [32, 256, 1024].map((batch) => ({ net, batch, inputs }))),
);

export function stepName({ net, batch, inputs }: StepCase): string {
  return `step ${net} ${batch} ${inputs}`;
}

/**
 * Checks that training lowers the loss, then times a step.
 *
 * @throws {Error} The loss does not fall.
 */
export async function timeStep(stepCase: StepCase, options: TimerOptions = {}): Promise<StepTiming> {
  const training = trainingOf(nets[stepCase.net], 784, stepCase.batch, stepCase.inputs);
  const { batches } = training;
  const losses: number[] = [];
  for (let k = 0; k < 5 * batches; k++) losses.push((await stepOf(training).data())[0]);
  const [first, last] = [losses.slice(0, batches), losses.slice(-batches)].map(mean);
  if (!(last < first)) {
    throw new Error(`${stepName(stepCase)}: the loss does not fall: ${losses.join(', ')}`);
  }
  const timing = await time(() => stepOf(training), options);
  return { ...stepCase, ...timing, parts: timeParts(training, options) };
}

/** Reads the clock between the parts. Valid only on devices that compute synchronously. */
function timeParts(training: Training, { quick = false }: TimerOptions): Parts {
  const forward: number[] = [];
  const backward: number[] = [];
  const update: number[] = [];
  const end = performance.now() + (quick ? 50 : 500);
  do {
    const begin = performance.now();
    const loss = training.forward();
    const between = performance.now();
    training.backward(loss);
    const ready = performance.now();
    training.update();
    forward.push((between - begin) / 1000);
    backward.push((ready - between) / 1000);
    update.push((performance.now() - ready) / 1000);
  } while (performance.now() < end || forward.length < 3);
  return { forward: median(forward), backward: median(backward), update: median(update) };
}
