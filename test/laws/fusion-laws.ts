/** Laws of fusions: the fused form against its composition of references in float64. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { FloatArray } from '../../kernels/kernel.ts';
import type { Device, DType, Storage } from '../../src/tensor/device/device.ts';
import { type DeviceUnderTest, extents, type KernelCall, leaveHole } from './kernel-laws.ts';
import {
  composer,
  type FusionCase,
  type Held,
  held,
  resultNames,
  updatesOf,
} from '../kernels/fusion-cases/case.ts';

/** The results of a call: the outputs, then the updated inputs; and the other inputs after the call. */
interface Results {
  readonly results: readonly FloatArray[];
  readonly others: readonly FloatArray[];
}

/** The fused form computes what the references compute, to a few roundings of float32. */
export function agreesWithReferences(fusionCase: FusionCase, on: DeviceUnderTest): void {
  const { fusion, magnitudes } = fusionCase;
  forCalls(fusionCase, (call) => {
    const names = resultNames(fusionCase, call);
    const inputs = inputsOf(fusionCase, call);
    const { results: expected } = composed(fusionCase, call);
    const { results: found } = fused(fusionCase, call, on.device);
    magnitudes(inputs, call.params).forEach((terms, k) => {
      expect(found[k]).toHaveLength(expected[k].length);
      found[k].forEach((value, at) => {
        const scale = terms === null ? Math.abs(expected[k][at]) : terms[at];
        if (Math.abs(value - expected[k][at]) <= on.atol + on.rtol * scale) return;
        throw new Error(
          `${fusion.name}: ${names[k]}[${at}] is ${value}, by the references ${expected[k][at]}`,
        );
      });
    });
  });
}

/** Two runs give the same bits, whatever the memory of the outputs held before. */
export function isDeterministic(fusionCase: FusionCase, on: DeviceUnderTest): void {
  forCalls(fusionCase, (call) => {
    const first = fused(fusionCase, call, on.device);
    const second = fused(fusionCase, call, on.device);
    first.results.forEach((values, k) => expectSameBits(second.results[k], values));
  });
}

/** Inputs that are not updated do not change, and neither does the memory around the outputs. */
export function touchesNothingElse(fusionCase: FusionCase, on: DeviceUnderTest): void {
  forCalls(fusionCase, (call) => {
    const updates = updatesOf(fusionCase, call);
    const neighbours = composed(fusionCase, call).results.flatMap((values) =>
      (['float32', 'float64'] as const).flatMap((dtype) => leaveHole(values.length, dtype, on)),
    );
    const { others } = fused(fusionCase, call, on.device);
    const before = inputsOf(fusionCase, call).filter((_, k) => !updates.includes(k));
    before.forEach(({ data }, k) => expectSameBits(others[k], data));
    for (const storage of neighbours) expect(on.device.readSync(storage).every(Number.isNaN)).toBe(true);
  });
}

/** The results of the references, in float64. */
export function composed(fusionCase: FusionCase, call: KernelCall): Results {
  const { fusion } = fusionCase;
  const inputs = inputsOf(fusionCase, call);
  const outputs = fusion.compose(composer, inputs, call.params);
  return sorted(
    updatesOf(fusionCase, call),
    outputs.map(({ data }) => data),
    inputs.map(({ data }) => data),
  );
}

/** The results of the fused form on a device. */
export function fused(fusionCase: FusionCase, call: KernelCall, device: Device): Results {
  const { fusion, statistics = [] } = fusionCase;
  const inputs = inputsOf(fusionCase, call);
  const typeOf = (k: number): DType => (statistics.includes(k) ? 'float64' : 'float32');
  const storages = inputs.map(({ data }, k) => device.upload(data, typeOf(k)));
  const shapes = inputs.map(({ shape }) => shape);
  const made = device.runFused?.(fusion, storages, shapes, call.params);
  if (made === undefined) throw new Error(`${device.name} has no fusions`);
  const read = (storage: Storage) => device.readSync(storage);
  return sorted(
    updatesOf(fusionCase, call),
    made.map(({ storage }) => read(storage)),
    storages.map(read),
  );
}

function sorted(
  updates: readonly number[],
  outputs: readonly FloatArray[],
  inputs: readonly FloatArray[],
): Results {
  return {
    results: [...outputs, ...updates.map((k) => inputs[k])],
    others: inputs.filter((_, k) => !updates.includes(k)),
  };
}

/** Copies of the inputs as the device holds them: in float32, except for statistics. */
export function inputsOf({ statistics = [] }: FusionCase, { inputs }: KernelCall): Held[] {
  return inputs.map(({ shape, data }, k) =>
    held(shape, statistics.includes(k) ? data.slice() : Float64Array.from(data, Math.fround)),
  );
}

/** Runs a law with every extent on every axis. fast-check prints the seed of a failure. */
function forCalls({ calls, except = [] }: FusionCase, law: (call: KernelCall) => void): void {
  const { seed } = fc.readConfigureGlobal();
  for (const n of extents.filter((extent) => !except.includes(extent))) {
    for (const turn of [0, 1, 2]) {
      const own = seed === undefined ? {} : { seed: seed + 3 * n + turn };
      fc.assert(fc.property(calls(n, turn), law), { numRuns: 1, ...own });
    }
  }
}

function expectSameBits(found: FloatArray, expected: FloatArray): void {
  const differs = expected.findIndex((value, i) => !Object.is(value, found[i]));
  if (found.length === expected.length && differs < 0) return;
  throw new Error(`element ${differs} is ${String(found[differs])}, and not ${String(expected[differs])}`);
}
