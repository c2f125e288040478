/** The parameters after every step, compared with PyTorch's. */
import { expect, it } from 'vitest';
import type { DType } from '../../src/index.ts';
import { golden, goldenTensor, type OptimizerCase } from '../golden-files.ts';
import { expectToBecome } from '../layers/helpers.ts';
import { inAllPrecisions } from '../on-devices.ts';
import { optimizers } from './helpers.ts';

const { cases } = golden('optimizers');

async function replay(example: OptimizerCase, dtype: DType, tolerance: number): Promise<void> {
  const { optimizer: kind, options, groups, initial, steps } = example;
  const params = initial.map((w) => goldenTensor(w, { dtype, requiresGrad: true }));
  const given = groups?.map((group) => ({ ...group, params: group.params.map((i) => params[i]) })) ?? params;
  const optimizer = optimizers[kind](given, { lr: NaN, ...options });
  for (const step of steps) {
    params.forEach((w, i) => {
      const g = step.gradients[i];
      w.grad = g && goldenTensor(g, { dtype });
    });
    optimizer.step();
    for (const [i, w] of params.entries()) await expectToBecome(w, step.parameters[i], tolerance);
  }
}

it('there are 19 cases of 10 steps each', () => {
  expect(cases.map(({ steps }) => steps.length)).toEqual(Array(19).fill(10));
});

inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-10, 1e-5);

  it.each(cases)(`an optimizer agrees with PyTorch to ${tolerance} after each step: $name`, (example) =>
    replay(example, dtype, tolerance),
  );
});
