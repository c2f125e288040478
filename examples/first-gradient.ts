/** The first gradient: fits a line to three points by gradient descent. */
import { mse, SGD, tensor } from '../src/index.ts';

const x = tensor([[0], [1], [2]]);
const target = tensor([[1], [3], [5]]); // on the line 2x + 1

const slope = tensor([[0]], { requiresGrad: true });
const offset = tensor([0], { requiresGrad: true });
const optimizer = new SGD([slope, offset], { lr: 0.1, momentum: 0.5 });

for (let step = 1; step <= 50; step++) {
  const y = x.matmul(slope).add(offset); // forward: each op records its inputs
  const loss = mse(y, target);
  optimizer.zeroGrad();
  loss.backward(); // backward: computes slope.grad = ∂loss/∂slope and offset.grad = ∂loss/∂offset
  if (step === 1) console.log('first step: d loss / d slope =', slope.grad?.item()); // −2·mean(x·target)
  optimizer.step(); // moves both parameters against their gradients
  if (step % 10 === 0) console.log(`step ${step}: loss ${loss.item().toExponential(2)}`);
}

console.log(`y = ${slope.item().toFixed(3)}·x + ${offset.item().toFixed(3)}`);
