/**
 * What if the statistics of a batch were constants? A bias in front of batch normalization, trained with and without
 * the gradients of mean and variance: `kernels/batchnorm.md` explains the result.
 */
import { mse, SGD, tensor, type Tensor, useDevice } from '../../src/index.ts';

await useDevice('cpu'); // which has float64

const dtype = 'float64';
const x = tensor([[1], [2], [3], [4]], { dtype });
const target = tensor([[0], [1], [1], [3]], { dtype });

/** xhat = (z − mean)/√(variance + ε), with the statistics as they are or detached from the graph. */
function normalize(z: Tensor, statistic: (value: Tensor) => Tensor): Tensor {
  const mean = statistic(z.mean(0));
  const variance = statistic(z.sub(mean).pow(2).mean(0));
  return z.sub(mean).mul(variance.add(1e-5).pow(-0.5));
}

function train(name: string, statistic: (value: Tensor) => Tensor): void {
  console.log(`\n${name}\n  step     bias    loss`);
  const bias = tensor([0], { dtype, requiresGrad: true });
  const optimizer = new SGD([bias], { lr: 0.1 });
  for (let step = 0; step <= 1000; step++) {
    const loss = mse(normalize(x.add(bias), statistic), target);
    if ([0, 10, 100, 1000].includes(step)) {
      const numbers = [bias.item().toFixed(2).padStart(8), loss.item().toFixed(4).padStart(7)];
      console.log(`${String(step).padStart(6)} ${numbers.join(' ')}`);
    }
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
}

train('Mean and variance as constants', (value) => value.detach());
train('With the gradients of mean and variance', (value) => value);
