/** Whether a kernel or a fusion computes what it should, at a size and on a device. */
import type { FloatArray, Shape } from '../kernels/kernel.ts';
import { formatShape, sizeOf } from '../kernels/shape.ts';
import type { Device } from '../src/tensor/device/device.ts';
import type { Subject } from './cases/kernel-subject.ts';

/**
 * How far float32 may be from what it should be: |found − expected| ≤ 1e-5·(|expected| + largest |expected|).
 * The second term is for sums whose terms nearly cancel.
 */
const TOLERANCE = 1e-5;

/** A kernel or a fusion whose result is not what it should be. It is not timed. */
export class DisagreesError extends Error {
  override readonly name: string = 'DisagreesError';
}

/**
 * Holds every element of the device's results against the references in float64.
 *
 * @throws {DisagreesError} One of them is another.
 */
export async function validate(
  subject: Subject,
  device: Device,
  expected: readonly FloatArray[] = subject.expected(),
): Promise<void> {
  const found = await subject.compute(device);
  subject.results.forEach(({ name, shape }, k) => {
    const what = name === '' ? labelOf(subject) : `${labelOf(subject)}: ${name}`;
    if (found[k].length !== expected[k].length) {
      throw new DisagreesError(
        `${what} has ${found[k].length} values, and should have ${expected[k].length}`,
      );
    }
    const nearTo = comparison(what, shape, expected[k]);
    found[k].forEach((value, place) => nearTo(place, value, expected[k][place]));
  });
}

/** How a table names it. */
export function labelOf({ name, size }: Subject): string {
  return `${name} ${size}`;
}

/** Holds one value against what it should be; throws {@link DisagreesError}. */
export function comparison(
  what: string,
  shape: Shape,
  expected: FloatArray,
  tolerance: number = TOLERANCE,
): (place: number, value: number, should: number) => void {
  let largest = 0;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  return (place, value, should) => {
    if (Object.is(value, should)) return; // NaN, and infinities
    if (Math.abs(value - should) <= tolerance * (Math.abs(should) + largest)) return;
    const index = formatShape(indexOf(place, shape));
    throw new DisagreesError(`${what} at ${index} is ${value}, and should be ${should}`);
  };
}

function indexOf(place: number, shape: Shape): number[] {
  return shape.map((extent, axis) => Math.floor(place / sizeOf(shape.slice(axis + 1))) % extent);
}
