/** Compares the results of a kernel or a fusion on a device with its reference. */
import type { FloatArray, Shape } from '../kernels/kernel.ts';
import { formatShape, sizeOf } from '../kernels/shape.ts';
import type { Device } from '../src/tensor/device/device.ts';
import type { Subject } from './cases/kernel-subject.ts';

/**
 * The allowed error of float32: |found − expected| ≤ 1e-5·(|expected| + max |expected|). The second term allows for sums
 * whose terms nearly cancel.
 */
const TOLERANCE = 1e-5;

/** The result of a kernel or a fusion is wrong, so it is not timed. */
export class DisagreesError extends Error {
  override readonly name: string = 'DisagreesError';
}

/**
 * Compares every element of the device's results with the references in float64.
 *
 * @throws {DisagreesError} An element differs by more than the tolerance.
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
      throw new DisagreesError(`${what} has ${found[k].length} values and should have ${expected[k].length}`);
    }
    const nearTo = comparison(what, shape, expected[k]);
    found[k].forEach((value, place) => nearTo(place, value, expected[k][place]));
  });
}

/** Its name and size, as in a table. */
export function labelOf({ name, size }: Subject): string {
  return `${name} ${size}`;
}

/** A function that compares one value with the expected one; it throws a {@link DisagreesError} if they differ. */
export function comparison(
  what: string,
  shape: Shape,
  expected: FloatArray,
  tolerance: number = TOLERANCE,
): (place: number, value: number, should: number) => void {
  let largest = 0;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  return (place, value, should) => {
    if (Object.is(value, should)) return; // NaN and infinities
    if (Math.abs(value - should) <= tolerance * (Math.abs(should) + largest)) return;
    const index = formatShape(indexOf(place, shape));
    throw new DisagreesError(`${what} at ${index} is ${value} and should be ${should}`);
  };
}

function indexOf(place: number, shape: Shape): number[] {
  return shape.map((extent, axis) => Math.floor(place / sizeOf(shape.slice(axis + 1))) % extent);
}
