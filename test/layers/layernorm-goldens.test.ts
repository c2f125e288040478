/** LayerNorm and GroupNorm, compared with PyTorch's. */
import { expect, it } from 'vitest';
import { GroupNorm, LayerNorm } from '../../src/index.ts';
import { golden, goldenTensor, type LayerNormCase } from '../golden-files.ts';
import { inAllPrecisions, inPage } from '../on-devices.ts';
import { expectToBecome } from './helpers.ts';

const { cases } = golden('layernorm');
const title = ({ groups, name }: LayerNormCase) => `${groups === null ? 'LayerNorm' : 'GroupNorm'}, ${name}`;

inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-10, 1e-6);

  it.each(cases.map((each): [string, LayerNormCase] => [title(each), each]))(
    `%s: y and the gradients agree with PyTorch to ${tolerance}`,
    async (_, { groups, features, options, gamma, beta, x: input, g, y, dx, dgamma, dbeta, name }) => {
      const all = { ...options, dtype };
      const norm = groups === null ? new LayerNorm(features, all) : new GroupNorm(groups, features, all);
      if (gamma !== null && beta !== null) {
        norm.loadStateDict({ weight: goldenTensor(gamma, { dtype }), bias: goldenTensor(beta, { dtype }) });
      }
      const x = goldenTensor(input, { dtype, requiresGrad: true });
      const found = norm.forward(x);
      found.backward(goldenTensor(g, { dtype }));
      const rounded = inPage && name === 'large offset'; // float32 rounds a mean of 1e4 by up to 5e-4
      const within = rounded ? 1e-3 : tolerance;
      await expectToBecome(found, y, within);
      await expectToBecome(x.grad, dx, within);
      expect(norm.gamma === null).toBe(gamma === null);
      if (dgamma !== null) await expectToBecome(norm.gamma?.grad, dgamma, within);
      if (dbeta !== null) await expectToBecome(norm.beta?.grad, dbeta, within);
    },
  );
});
