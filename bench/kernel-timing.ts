/** Times a kernel or a fusion in one form, and rates the time against a ceiling and the reference. */
import { type Ceilings, highest } from './ceilings.ts';
import type { Form, FormName } from './forms.ts';
import type { Subject } from './cases/kernel-subject.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';

export interface KernelTiming extends Timing {
  readonly kernel: string;
  readonly size: string;
  readonly form: FormName;
  /** The bytes and operations that the kernel states as its `cost`; `flops` is 0 if it only moves data. */
  readonly bytes: number;
  readonly flops: number;
  /** The cost divided by the time, in 10⁹ per second. */
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
}

export interface RatedTiming extends KernelTiming {
  /** Its share of the ceiling's speed; null for a reference. */
  readonly ofCeiling: OfCeiling | null;
  /** The reference's time divided by this one; null if the reference was not timed. */
  readonly speedup: number | null;
}

/** The shortest time that the ceiling allows, divided by the measured time. Data in the cache can exceed 1. */
export interface OfCeiling {
  readonly ceiling: 'multiplyAdd' | 'copy';
  readonly fraction: number;
}

/**
 * Validates a kernel, then times it.
 *
 * @param validate Called first; see `validation.ts`.
 * @throws {DisagreesError} The result is wrong.
 */
export async function timeKernel(
  subject: Subject,
  { form, device }: Form,
  validate: () => Promise<void>,
  options: TimerOptions = {},
): Promise<KernelTiming> {
  await validate();
  const prepared = subject.prepare(device);
  const timing = await time(() => prepared.run(), options);
  prepared.free();
  const { name, size, cost } = subject;
  return {
    kernel: name,
    size,
    form,
    ...timing,
    ...cost,
    gigabytesPerSecond: cost.bytes / timing.seconds / 1e9,
    gigaflops: cost.flops / timing.seconds / 1e9,
  };
}

/** Rates the times against the ceilings and against the references. */
export function rated(timings: readonly KernelTiming[], ceilings: readonly Ceilings[]): RatedTiming[] {
  return timings.map((timing) => {
    const reference = timings.find(
      ({ form, kernel, size }) => form === 'reference' && kernel === timing.kernel && size === timing.size,
    );
    const bounds = ceilings.find(({ form }) => form === timing.form);
    return {
      ...timing,
      ofCeiling: bounds === undefined ? null : ofCeiling(timing, bounds),
      speedup: reference === undefined ? null : reference.seconds / timing.seconds,
    };
  });
}

function ofCeiling({ flops, bytes, seconds }: KernelTiming, ceilings: Ceilings): OfCeiling {
  const limits = highest(ceilings);
  const [computing, moving] = [flops / limits.flops, bytes / limits.bytes];
  return computing > moving
    ? { ceiling: 'multiplyAdd', fraction: computing / seconds }
    : { ceiling: 'copy', fraction: moving / seconds };
}
