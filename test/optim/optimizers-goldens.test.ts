/** The optimizers against PyTorch's, after every step. */
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/index.ts';
import { golden, goldenTensor, type OptimizerCase } from '../golden-files.ts';
import { expectClose } from '../layers/helpers.ts';
import { optimizers } from './helpers.ts';

const { cases } = golden('optimizers');

function replay(example: OptimizerCase, dtype: DType, tolerance: number): void {
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
    params.forEach((w, i) => {
      expectClose(w, step.parameters[i], tolerance);
    });
  }
}

describe('an optimizer does what PyTorch does', () => {
  it('in 19 cases of 10 steps', () => {
    expect(cases.map(({ steps }) => steps.length)).toEqual(Array(19).fill(10));
  });

  it.each(cases)('to 1e-10 in float64, after each step: $name', (example) => {
    replay(example, 'float64', 1e-10);
  });

  it.each(cases)('to 1e-5 in float32, after each step: $name', (example) => {
    replay(example, 'float32', 1e-5);
  });
});
