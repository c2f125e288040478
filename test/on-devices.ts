/** The devices and element types that tests run on, and their tolerances. */
import { beforeAll, describe } from 'vitest';
import { type DeviceName, type DType, useDevice } from '../src/index.ts';

/** A device and one of its element types. */
export interface Precision {
  readonly device: DeviceName;
  readonly dtype: DType;
  /** Selects a tolerance by element type. Each float32 operation has a relative error of up to 2⁻²⁴ = 6e-8. */
  readonly either: (float64: number, float32: number) => number;
}

const float64: Precision = { device: 'cpu', dtype: 'float64', either: (tolerance) => tolerance };
const float32: Precision = { device: 'cpu', dtype: 'float32', either: (_, tolerance) => tolerance };
const wasm: Precision = { ...float32, device: 'wasm' };

/** True in a page. There the tests run on the GPU devices only; Node runs them on `cpu` and `wasm`. */
export const inPage: boolean = 'document' in globalThis;

/** True in the project `threads`, which tests `wasm` only. */
const onThreads = !inPage && Number(process.env.GAMMABETA_THREADS) > 1;

const webgl: Precision = { ...float32, device: 'webgl' };
const webgpu: Precision = { ...float32, device: 'webgpu' };

/**
 * Runs tests on every device, in its widest element type. These tests read tensors synchronously, so in a page they
 * run on `webgl` only: `webgpu` has asynchronous reads only.
 */
export function onDevices(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl] : [float64, wasm]) within(on, tests);
}

/**
 * Runs tests on every device in every element type, for comparisons with PyTorch. These tests read tensors
 * asynchronously.
 */
export function inAllPrecisions(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl, webgpu] : [float64, float32, wasm]) within(on, tests);
}

/** Runs tests in float32 on every device with synchronous reads, as {@link onDevices} does. */
export function inFloat32(tests: (on: Precision) => void): void {
  for (const on of inPage ? [webgl] : onThreads ? [wasm] : [float32, wasm]) within(on, tests);
}

/** Runs tests that need float64, such as gradient checks: on `cpu`, since GPUs have float32 only. */
export function inFloat64(tests: () => void): void {
  if (!inPage) within(float64, tests);
}

/** Selects the device twice: while tests are collected, for tensors that they share, and before they run. */
function within(on: Precision, tests: (on: Precision) => void): void {
  describe(`on ${on.device}, in ${on.dtype}`, async () => {
    await useDevice(on.device);
    beforeAll(() => useDevice(on.device));
    tests(on);
  });
}
