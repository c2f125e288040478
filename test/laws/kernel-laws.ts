/** Laws that hold for every kernel on every device, and for every op, at all sizes. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { FloatArray, Kernel, Params, Shape } from '../../kernels/kernel.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device, DType, Storage } from '../../src/tensor/device/device.ts';
import { DeviceError, ShapeError } from '../../src/tensor/errors.ts';
import { gradcheck } from '../../src/tensor/gradcheck.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { currentDevice } from '../../src/tensor/device/current.ts';
import { useDevice } from '../../src/tensor/device/registry.ts';
import { builds, openWasm } from '../../src/tensor/device/wasm/open-wasm.ts';
import { inPage } from '../on-devices.ts';
import { expectError } from '../tensor/expect-error.ts';

// ── the subjects of laws ────────────────────────────────────────────────────────────────────────────────

/** Values with a shape. */
export interface Values {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** One call of a kernel. */
export interface KernelCall {
  readonly inputs: readonly Values[];
  readonly params: Params;
}

/** Reads an element of an input by its indices. */
export type At = (...index: readonly number[]) => number;

/** A kernel, calls that it must compute, and a second definition of its result. */
export interface KernelCase {
  readonly kernel: Kernel;
  /** Calls in which one axis has the extent n. The turn, 0 to 2, chooses the axis. */
  readonly calls: (n: number, turn: number) => fc.Arbitrary<KernelCall>;
  /** The element of the output at an index, from the equation. */
  readonly at: (index: readonly number[], inputs: readonly At[], call: KernelCall) => number;
  /**
   * The size of the terms of which the element is a sum, if they may nearly cancel, because rounding in float32 is
   * relative to them. Without it, the size of the element itself.
   */
  readonly magnitude?: KernelCase['at'];
  /** As `magnitude`, but only for devices that compute in float32 throughout. */
  readonly terms?: KernelCase['at'];
  /** Shapes that the shape rule refuses. */
  readonly misfits?: readonly { readonly shapes: readonly Shape[]; readonly params?: Params }[];
  /** Extents to skip: 0, if there is no result over no values. */
  readonly except?: readonly number[];
}

/** A device and its tolerance: |a − b| ≤ atol + rtol·max(|b|, magnitude), where b is the definition. */
export interface DeviceUnderTest {
  readonly name: string;
  readonly device: Device;
  readonly dtype: DType;
  readonly rtol: number;
  readonly atol: number;
  /** The atol of single kernels, by name. */
  readonly except?: Readonly<Record<string, number>>;
  /** It computes in float32 throughout, so it rounds the terms of sums too. Its zeros may lose their sign. */
  readonly isGpu?: boolean;
}

/**
 * WebAssembly in the builds that this engine accepts; for the others, the error. Each operation rounds by up to
 * 2⁻²⁴ = 6e-8, and an exponential by 1.2e-7. At most a few of these add up: long sums are blocked, or float64.
 */
export const wasmBuilds: readonly (DeviceUnderTest | { readonly name: string; readonly missing: string })[] =
  builds.map((build) => {
    const name = `wasm, the build '${build}'`;
    try {
      return { name, device: openWasm([build]), dtype: 'float32', rtol: 1e-6, atol: 1e-11 };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      return { name, missing: error.problem };
    }
  });

/** The devices in Node. A new device is added here, and every law applies to it. */
const onCpu = async (): Promise<readonly DeviceUnderTest[]> => [
  { name: 'cpu, in float64', device: cpu, dtype: 'float64', rtol: 1e-12, atol: 1e-11 },
  // sums in float64, then rounded once: 2⁻²⁴
  { name: 'cpu, in float32', device: cpu, dtype: 'float32', rtol: 1e-7, atol: 1e-11 },
  ...wasmBuilds.filter((build) => 'device' in build),
  // tests the equations in float64; test/browser runs them in float32 on a GPU
  {
    name: 'gpu forms, thread by thread',
    device: (await import('../gpu-threads.ts')).gpuThreads(),
    dtype: 'float64',
    rtol: 1e-12,
    atol: 1e-11,
  },
];

/**
 * The GPU devices, in a page. They compute in float32 throughout, with sums in blocks of 64. Their exponentials and
 * powers may be off by 3 + 2·|x| units in the last place, 6e-8 each. For logarithms between ½ and 2, GLSL and WGSL
 * guarantee only an absolute error of 2⁻²¹.
 */
const onGpu = async (name: 'webgl' | 'webgpu'): Promise<DeviceUnderTest> => {
  const { device } = await useDevice(name);
  expect(device).toBe(name);
  const logarithm = 2 ** -21;
  return {
    name,
    device: currentDevice(),
    dtype: 'float32',
    rtol: 1e-6,
    atol: 1e-7,
    except: { log: logarithm, logSoftmax: logarithm, crossEntropy: logarithm },
    isGpu: true,
  };
};

/** The devices to which every law applies: in a page the GPU devices, in Node the others. */
export const devices: readonly DeviceUnderTest[] = inPage
  ? [await onGpu('webgl'), await onGpu('webgpu')]
  : await onCpu();

/**
 * The edges of vectors, tiles and blocks; more than the 1,000 iterations of gpu.js; the largest batch. Fewer on a GPU,
 * which compiles a shader per shape: its sums have blocks of 64, and there are no other edges.
 */
export const extents: readonly number[] = inPage
  ? [0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 33, 64, 65, 1030]
  : [...Array.from({ length: 18 }, (_, n) => n), ...[31, 32, 33, 63, 64, 65, 300, 784, 1030, 4096]];

// ── laws of kernels ────────────────────────────────────────────────────────────────────────────────────

/** The result on a device agrees with the definition of the case, which shares nothing with the kernel. */
export async function devicesAgree(kernelCase: KernelCase, on: DeviceUnderTest): Promise<void> {
  await forCalls(
    kernelCase,
    async (call) => {
      const inputs = call.inputs.map((input) => rounded(input, on.dtype));
      const shape = outputShape(kernelCase.kernel, call);
      const found = await on.device.read(start(kernelCase.kernel, { ...call, inputs }, on));
      const readers = inputs.map(at);
      for (const place of places(sizeOf(shape))) {
        const index = indexOf(place, shape);
        const expected = kernelCase.at(index, readers, { ...call, inputs });
        const { magnitude = on.isGpu ? kernelCase.terms : undefined } = kernelCase;
        const scale = magnitude?.(index, readers, { ...call, inputs }) ?? 0;
        expectNear(found[place], expected, scale, on, kernelCase.kernel.name, index);
      }
    },
    { large: [0, 1, 2] },
  );
}

/** The output has the size that the shape rule gives, and the rule throws a ShapeError for shapes that do not fit. */
export async function shapeRuleHolds(kernelCase: KernelCase, on: DeviceUnderTest): Promise<void> {
  const { kernel, misfits = [] } = kernelCase;
  await forCalls(kernelCase, async (call) => {
    const shape = outputShape(kernel, call);
    expect(shape.every((extent) => Number.isInteger(extent) && extent >= 0)).toBe(true);
    expect(await on.device.read(start(kernel, call, on))).toHaveLength(sizeOf(shape));
  });
  for (const { shapes, params = {} } of misfits) {
    expectError(() => kernel.shape(shapes, params), ShapeError, /^\w+: .*\[/);
  }
}

/**
 * Two runs give the same bits, whatever the memory of the output held before. The inputs do not change, and neither does
 * the memory on both sides of the output.
 */
export async function isDeterministic(kernelCase: KernelCase, on: DeviceUnderTest): Promise<void> {
  const { kernel } = kernelCase;
  await forCalls(kernelCase, async (call) => {
    const storages = upload(call, on);
    const before = await Promise.all(storages.map((storage) => on.device.read(storage)));
    const first = await on.device.read(start(kernel, call, on, storages));
    const neighbours = leaveHole(
      sizeOf(outputShape(kernel, call)),
      kernel.statistic ? 'float64' : on.dtype,
      on,
    );
    const second = await on.device.read(start(kernel, call, on, storages));
    expectSameBits(second, first);
    for (const [k, storage] of storages.entries()) expectSameBits(await on.device.read(storage), before[k]);
    for (const storage of neighbours) expect((await on.device.read(storage)).every(Number.isNaN)).toBe(true);
  });
}

/** The reference writes every element of its output, and does not read what was there before. */
export async function fillsItsOutput(kernelCase: KernelCase): Promise<void> {
  const { kernel } = kernelCase;
  await forCalls(kernelCase, (call) => {
    const sizes = kernel.sizes(shapesOf(call), call.params);
    const inputs = call.inputs.map(({ data }) => data);
    const [clean, dirty] = [0, NaN].map((value) => {
      const y = new Float64Array(sizeOf(outputShape(kernel, call))).fill(value);
      kernel.reference(y, inputs, sizes, call.params);
      return y;
    });
    expectSameBits(dirty, clean);
    return Promise.resolve();
  });
}

/** A kernel that may write into its first input gives the same result there. */
export async function inPlaceIsTheSame(kernelCase: KernelCase, on: DeviceUnderTest): Promise<void> {
  const { kernel } = kernelCase;
  expect(kernel.inPlace).toBe(true);
  await forCalls(kernelCase, async (call) => {
    const expected = await on.device.read(start(kernel, call, on));
    const storages = upload(call, on);
    const shape = outputShape(kernel, call);
    const output = on.device.run(kernel, storages, shapesOf(call), shape, call.params, true);
    expect(output).toBe(storages[0]);
    expectSameBits(await on.device.read(output), expected);
  });
}

// ── the law of ops ─────────────────────────────────────────────────────────────────────────────────────

/** A function of tensors, and float64 tensors at which its gradients are checked. */
export interface GradientCase {
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
}

/** The gradients are the derivatives, at random points along random directions. */
export function gradientMatches(cases: fc.Arbitrary<GradientCase>, runs = 20): void {
  fc.assert(
    fc.property(cases, fc.nat(), ({ fn, inputs }, seed) => {
      expect(gradcheck(fn, inputs, { seed })).toBe(true);
    }),
    { numRuns: runs },
  );
}

// ── tools ──────────────────────────────────────────────────────────────────────────────────────────────

/** The turns of a small extent: all three, but on a GPU only one. */
const small = (n: number): readonly number[] => (inPage ? [n % 3] : [0, 1, 2]);

/** Runs a law with every extent on every axis, and random values. fast-check prints the seed of a failure. */
async function forCalls(
  kernelCase: KernelCase,
  law: (call: KernelCall) => Promise<void>,
  { large = [0] }: { readonly large?: readonly number[] } = {},
): Promise<void> {
  const { seed } = fc.readConfigureGlobal();
  for (const n of extents.filter((extent) => !kernelCase.except?.includes(extent))) {
    for (const turn of n > 100 ? large : small(n)) {
      // In CI all tests share one seed; each call derives its own, otherwise all would draw the same values.
      const own = seed === undefined ? {} : { seed: seed + 3 * n + turn };
      await fc.assert(fc.asyncProperty(kernelCase.calls(n, turn), law), { numRuns: 1, ...own });
    }
  }
}

/**
 * Fills three neighbouring places with NaN and frees the middle one. A device that manages its memory puts its next
 * output there.
 */
export function leaveHole(size: number, dtype: DType, { device }: DeviceUnderTest): Storage[] {
  const nan = new Float64Array(size).fill(NaN);
  const [before, hole, after] = Array.from({ length: 3 }, () => device.upload(nan, dtype));
  device.free(hole);
  return [before, after];
}

function start(
  kernel: Kernel,
  call: KernelCall,
  on: DeviceUnderTest,
  storages: Storage[] = upload(call, on),
): Storage {
  return on.device.run(kernel, storages, shapesOf(call), outputShape(kernel, call), call.params, false);
}

function upload({ inputs }: KernelCall, { device, dtype }: DeviceUnderTest): Storage[] {
  return inputs.map(({ data }) => device.upload(data, dtype));
}

function outputShape(kernel: Kernel, call: KernelCall): Shape {
  return kernel.shape(shapesOf(call), call.params);
}

function shapesOf({ inputs }: KernelCall): Shape[] {
  return inputs.map(({ shape }) => shape);
}

function sizeOf(shape: Shape): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/** The input as the device gets it, which is what the definition must read. */
function rounded(input: Values, dtype: DType): Values {
  const data = dtype === 'float32' ? Float64Array.from(Float32Array.from(input.data)) : input.data;
  return { shape: input.shape, data };
}

function at({ shape, data }: Values): At {
  return (...index) => data[index.reduce((place, i, axis) => place * shape[axis] + i, 0)];
}

function indexOf(place: number, shape: Shape): number[] {
  return shape.map((extent, axis) => Math.floor(place / sizeOf(shape.slice(axis + 1))) % extent);
}

/** All elements of an output; for a large one both ends and about 200 between. */
function places(size: number): number[] {
  const all = Array.from({ length: size }, (_, place) => place);
  const stride = Math.max(1, Math.floor(size / 200));
  return all.filter((place) => size <= 400 || place < 32 || place >= size - 32 || place % stride === 0);
}

function expectNear(
  found: number,
  expected: number,
  magnitude: number,
  { rtol, atol, except }: DeviceUnderTest,
  kernel: string,
  index: readonly number[],
): void {
  const scale = Math.max(Math.abs(expected), magnitude);
  const error = Math.abs(found - expected);
  if (Object.is(found, expected) || error <= (except?.[kernel] ?? atol) + rtol * scale) return;
  throw new Error(
    `${kernel}[${index.join(', ')}] is ${String(found)}, by its definition ${String(expected)}`,
  );
}

function expectSameBits(found: FloatArray, expected: FloatArray): void {
  const differs = found.findIndex((value, i) => !Object.is(value, expected[i]));
  if (found.length === expected.length && differs < 0) return;
  throw new Error(`element ${differs} is ${String(found[differs])}, and not ${String(expected[differs])}`);
}
