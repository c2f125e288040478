/** The table of all fusions. Its type requires a case for each. */
import { batchnorms } from './batchnorm.ts';
import { intoDense } from './batchnorm-dense.ts';
import type { FusionCases } from './case.ts';
import { denses } from './dense.ts';
import { layernorms } from './layernorm.ts';
import { losses } from './softmax.ts';
import { updates } from './update.ts';

export const fusionCases: FusionCases = {
  ...batchnorms,
  ...intoDense,
  ...layernorms,
  ...denses,
  ...losses,
  ...updates,
};
