/** On which devices tests run, and how exact numbers are there. */
import { beforeAll, describe } from 'vitest';
import { type DeviceName, type DType, useDevice } from '../src/index.ts';

/** A device, and an element type that it has. */
export interface Precision {
  readonly device: DeviceName;
  readonly dtype: DType;
  /** How near results come: in float64, and in float32, of which each operation rounds to 2⁻²⁴ = 6e-8. */
  readonly either: (float64: number, float32: number) => number;
}

const float64: Precision = { device: 'cpu', dtype: 'float64', either: (tolerance) => tolerance };
const float32: Precision = { device: 'cpu', dtype: 'float32', either: (_, tolerance) => tolerance };
const wasm: Precision = { ...float32, device: 'wasm' };

/** What holds whatever the device and the element type: tested in the widest type that each of them has. */
export function onDevices(tests: (on: Precision) => void): void {
  for (const on of [float64, wasm]) within(on, tests);
}

/** What holds whatever the device and the element type, tested in all there are: comparisons with PyTorch. */
export function inAllPrecisions(tests: (on: Precision) => void): void {
  for (const on of [float64, float32, wasm]) within(on, tests);
}

/** What holds in float32, whatever the device. */
export function inFloat32(tests: (on: Precision) => void): void {
  for (const on of [float32, wasm]) within(on, tests);
}

/** What needs float64: gradient checks, and what is compared more exactly than float32 is. */
export function inFloat64(tests: () => void): void {
  within(float64, tests);
}

/** The device is chosen while tests are collected, for what they share, and again when they run. */
function within(on: Precision, tests: (on: Precision) => void): void {
  describe(`on ${on.device}, in ${on.dtype}`, async () => {
    await useDevice(on.device);
    beforeAll(() => useDevice(on.device));
    tests(on);
  });
}
