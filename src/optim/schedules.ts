/**
 * Learning rate schedules: functions from the number of the step, or of the epoch, counted from 0, to the learning
 * rate. Use them with `optimizer.lr = schedule(step)`. A step that is not a finite number ≥ 0 throws {@link ValueError}.
 */
import { expectFunction, expectInteger, expectNumber, expectOptions } from '../tensor/errors.ts';
import { cosine, power } from './portable-math.ts';

/** The learning rate at a step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * lr·factor^⌊step/every⌋: multiplies the rate by `factor` after each `every` steps, as PyTorch's `StepLR`.
 * @param options.factor In (0, 1]. Default 0.1.
 * @throws {ValueError} lr ≤ 0, every < 1, factor is not in (0, 1], or an option is unknown.
 * @example
 * ```ts
 * import { stepDecay } from 'gammabeta';
 *
 * const schedule = stepDecay(0.5, { every: 2, factor: 0.5 });
 * console.log([0, 1, 2, 3, 4].map(schedule)); // [ 0.5, 0.5, 0.25, 0.25, 0.125 ]
 * ```
 */
export function stepDecay(
  lr: number,
  options: { readonly every: number; readonly factor?: number },
): Schedule {
  expectOptions('stepDecay', options, ['every', 'factor']);
  const { every, factor = 0.1 } = options;
  expectNumber('stepDecay', 'lr', lr, { above: 0 });
  expectInteger('stepDecay', 'every', every, 1);
  expectNumber('stepDecay', 'factor', factor, { above: 0, to: 1 });
  return (step) => lr * power(factor, Math.floor(expectStep('stepDecay', step) / every));
}

/**
 * minimum + (lr − minimum)·(1 + cos(π·step/steps))/2 up to step `steps`, then `minimum` (Loshchilov & Hutter 2017). The
 * first `steps` steps are those of PyTorch's `CosineAnnealingLR`.
 * @param options.minimum In [0, lr]. Default 0.
 * @throws {ValueError} lr ≤ 0, steps < 1, minimum is not in [0, lr], or an option is unknown.
 * @example
 * ```ts
 * import { cosineDecay } from 'gammabeta';
 *
 * const schedule = cosineDecay(1, { steps: 4 });
 * console.log([0, 2, 4, 9].map((step) => schedule(step).toFixed(2))); // [ '1.00', '0.50', '0.00', '0.00' ]
 * ```
 */
export function cosineDecay(
  lr: number,
  options: { readonly steps: number; readonly minimum?: number },
): Schedule {
  expectOptions('cosineDecay', options, ['steps', 'minimum']);
  const { steps, minimum = 0 } = options;
  expectNumber('cosineDecay', 'lr', lr, { above: 0 });
  expectInteger('cosineDecay', 'steps', steps, 1);
  expectNumber('cosineDecay', 'minimum', minimum, { from: 0, to: lr });
  const angle = (step: number) => (Math.PI * Math.min(expectStep('cosineDecay', step), steps)) / steps;
  return (step) => minimum + ((lr - minimum) * (1 + cosine(angle(step)))) / 2;
}

/**
 * Increases the rate linearly from start·lr to lr over `steps` steps, as PyTorch's `LinearLR`. Then follows another
 * schedule, from its step 0, or a constant rate. lr is that rate, or the rate of the schedule at its step 0.
 * @param then The schedule or constant rate after the warmup.
 * @param options.start In (0, 1]. Default 1/3.
 * @throws {ValueError} A constant rate ≤ 0, a schedule that returns no number ≥ 0 at its step 0, steps < 1, start is not in
 *   (0, 1], or an option is unknown.
 * @example
 * ```ts
 * import { cosineDecay, warmup } from 'gammabeta';
 *
 * const schedule = warmup(cosineDecay(1, { steps: 100 }), { steps: 4, start: 0.2 });
 * console.log([0, 1, 2, 3, 4].map((step) => schedule(step).toFixed(1))); // [ '0.2', '0.4', '0.6', '0.8', '1.0' ]
 * ```
 */
export function warmup(
  then: Schedule | number,
  options: { readonly steps: number; readonly start?: number },
): Schedule {
  expectOptions('warmup', options, ['steps', 'start']);
  const { steps, start = 1 / 3 } = options;
  if (typeof then === 'number') expectNumber('warmup', 'lr', then, { above: 0 });
  expectInteger('warmup', 'steps', steps, 1);
  expectNumber('warmup', 'start', start, { above: 0, to: 1 });
  const after = typeof then === 'number' ? () => then : expectFunction('warmup', 'then', then);
  const rate = (step: number) => expectNumber('warmup', 'the rate of then', after(step), { from: 0 });
  rate(0); // a function that is no schedule is refused here, not in training
  return (step) =>
    expectStep('warmup', step) < steps
      ? rate(0) * (start + ((1 - start) * step) / steps)
      : rate(step - steps);
}

/** The step of a schedule: a finite number ≥ 0, such as the number of the batch, or epochs and parts of them. */
function expectStep(op: string, step: number): number {
  return expectNumber(op, 'step', step, { from: 0 });
}
