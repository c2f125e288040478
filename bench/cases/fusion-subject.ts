/** A fusion at a size, to validate and time. Its reference is the kernels that it is composed of, run one by one. */
import { type FusedForm, forms } from '../../kernels/fused/forms.ts';
import type { Fusion } from '../../kernels/fused/fusion.ts';
import * as fusions from '../../kernels/fused/index.ts';
import { signatures } from '../../kernels/fused/signatures.ts';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import { resultsOf } from '../../src/tensor/device/outputs.ts';
import { type BenchmarkCase, inputsOf, sizeName, uploadInputs } from './benchmark-case.ts';
import { onDevice, onValues } from '../composers.ts';
import type { Subject } from './kernel-subject.ts';

export function fusionSubject(name: keyof typeof fusions, benchmark: BenchmarkCase): Subject {
  const { shapes, params } = benchmark;
  const fusion: Fusion = fusions[name];
  const form: FusedForm = forms[name];
  const signature = signatures[name];
  const { outputs, updates } = resultsOf(fusion, shapes, params);

  /** Computes the outputs on a device. */
  const compute = (device: Device, inputs: readonly Storage[]): readonly Storage[] => {
    if (device.runFused) return device.runFused(fusion, inputs, shapes, params).map(({ storage }) => storage);
    const stored = inputs.map((storage, k) => ({ storage, shape: shapes[k] }));
    return fusion.compose(onDevice(device), stored, params).map(({ storage }) => storage);
  };

  return {
    name,
    size: sizeName(benchmark),
    cost: signature.cost(form.sizes(shapes, params)),
    simd: true,
    results: [
      ...outputs.map(({ shape }, k) => ({ name: signature.outputs[k], shape })),
      ...updates.map((k) => ({ name: signature.inputs[k], shape: shapes[k] })),
    ],

    prepare(device) {
      const inputs = uploadInputs(benchmark, device);
      const freeAll = (storages: readonly Storage[]) => storages.forEach((storage) => device.free(storage));
      return { run: () => freeAll(compute(device, inputs)), free: () => freeAll(inputs) };
    },

    compute(device) {
      const inputs = uploadInputs(benchmark, device);
      const found = compute(device, inputs);
      const updated = updates.map((k) => inputs[k]);
      return Promise.all([...found, ...updated].map((storage) => device.read(storage)));
    },

    expected() {
      const inputs = inputsOf(benchmark).map((values, k) => ({
        shape: shapes[k],
        data: Float64Array.from(values),
      }));
      const found = fusion.compose(onValues, inputs, params);
      return [...found, ...updates.map((k) => inputs[k])].map(({ data }) => data);
    },
  };
}
