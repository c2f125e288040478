/** How long a kernel or a fusion takes, in one of its forms. */
import { type Ceilings, highest } from './ceilings.ts';
import type { Form, FormName } from './forms.ts';
import type { Subject } from './cases/kernel-subject.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';

export interface KernelTiming extends Timing {
  readonly kernel: string;
  readonly size: string;
  readonly form: FormName;
  /** What it says that it moves, and computes; `flops` is 0 for one that only moves. */
  readonly bytes: number;
  readonly flops: number;
  /** By these, in 10⁹ per second. */
  readonly gigabytesPerSecond: number;
  readonly gigaflops: number;
}

export interface RatedTiming extends KernelTiming {
  /** How near it comes to what bounds it; null for a reference. */
  readonly ofCeiling: OfCeiling | null;
  /** The reference's time by this one; null where the reference was not timed. */
  readonly speedup: number | null;
}

/** The time that the ceiling allows, by the time that it took; above 1 for what stays in the cache. */
export interface OfCeiling {
  readonly ceiling: 'multiplyAdd' | 'copy';
  readonly fraction: number;
}

/**
 * Validates it, then times it.
 *
 * @param validated What to await before: see `validation.ts`.
 * @throws {DisagreesError} Its result is wrong.
 */
export async function timeKernel(
  subject: Subject,
  { form, device }: Form,
  validated: () => Promise<void>,
  options: TimerOptions = {},
): Promise<KernelTiming> {
  await validated();
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

/** Holds the times against the ceilings, and against the references. */
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
