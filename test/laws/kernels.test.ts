/** Every law for every kernel, on every device. */
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import {
  devices,
  devicesAgree,
  fillsItsOutput,
  inPlaceIsTheSame,
  isDeterministic,
  shapeRuleHolds,
  wasmBuilds,
} from './kernel-laws.ts';
import { cases } from '../kernels/cases/index.ts';

describe.each(Object.entries(cases))('%s', (name, kernelCase) => {
  const { kernel, misfits = [] } = kernelCase;

  it('has a case of its own', () => {
    expect(kernel).toBe(Object.entries(kernels).find(([exported]) => exported === name)?.[1]);
    expect(misfits.length > 0 || kernel.inputs.length === 1).toBe(true);
  });

  it('writes every element of its output', () => fillsItsOutput(kernelCase));

  describe.each(devices)('on $name', (on) => {
    it('agrees with its definition', () => devicesAgree(kernelCase, on));
    it('has an output of the shape that its rule gives, and refuses shapes that do not fit', () =>
      shapeRuleHolds(kernelCase, on));
    it('is deterministic and does not change its inputs', () => isDeterministic(kernelCase, on));
    if (kernel.inPlace) it('gives the same result in place', () => inPlaceIsTheSame(kernelCase, on));
  });
});

for (const build of wasmBuilds) {
  if ('missing' in build)
    it.skip(`every kernel on ${build.name}, which this engine does not support: ${build.missing}`, () =>
      undefined);
}
