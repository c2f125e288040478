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

/** A page, where there is a GPU: what is tested in Node is not tested there again. */
export const inPage: boolean = 'document' in globalThis;

const webgl: Precision = { ...float32, device: 'webgl' };
const webgpu: Precision = { ...float32, device: 'webgpu' };

/**
 * What holds whatever the device and the element type: tested in the widest type that each of them has. These tests
 * read tensors at once; so in a page they run on `webgl` alone, since `webgpu` can only be awaited.
 */
export function onDevices(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl] : [float64, wasm]) within(on, tests);
}

/**
 * What holds whatever the device and the element type, tested in all there are: comparisons with PyTorch. These
 * tests await what they read.
 */
export function inAllPrecisions(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl, webgpu] : [float64, float32, wasm]) within(on, tests);
}

/** What holds in float32, whatever the device; read at once, as in {@link onDevices}. */
export function inFloat32(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl] : [float32, wasm]) within(on, tests);
}

/** What needs float64, which no GPU has: gradient checks, and what is compared more exactly than float32 is. */
export function inFloat64(tests: () => void): void {
  if (!inPage) within(float64, tests);
}

/** The device is chosen while tests are collected, for what they share, and again when they run. */
function within(on: Precision, tests: (on: Precision) => void): void {
  describe(`on ${on.device}, in ${on.dtype}`, async () => {
    await useDevice(on.device);
    beforeAll(() => useDevice(on.device));
    tests(on);
  });
}
