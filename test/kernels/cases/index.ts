/** The table of all kernels. Its type requires a case for each. */
import { backward, forward, inference } from './batchnorm.ts';
import type { KernelCases } from './case.ts';
import { crossEntropies } from './cross-entropy.ts';
import { biases } from './dense.ts';
import { elementwises } from './elementwise.ts';
import { layerNorms } from './layernorm.ts';
import { layout } from './layout.ts';
import { products } from './matmul.ts';
import { reductions, softmaxes } from './reduce.ts';
import { updates } from './update.ts';

export const cases: KernelCases = {
  ...products,
  ...biases,
  ...elementwises,
  ...layout,
  ...reductions,
  ...softmaxes,
  ...crossEntropies,
  ...forward,
  ...inference,
  ...backward,
  ...layerNorms,
  ...updates,
};
