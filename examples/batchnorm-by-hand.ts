/**
 * Batch normalization by hand: forward and backward pass for a batch of 4 examples with 3 features, printing
 * each equation with its numbers. At the end, `BatchNorm1d` computes the same and the results are compared.
 *
 * The third feature has the same value in every example, to show what happens to a constant column.
 * `kernels/batchnorm.md` derives the equations.
 */
import { BatchNorm1d, type Tensor, tensor, useDevice } from '../src/index.ts';

await useDevice('cpu'); // the device with float64: the results agree to 15 digits

const [dtype, eps] = ['float64', 1e-5] as const;
// prettier-ignore
const x = tensor([[1, 10, 7], [2, 30, 7], [3, 20, 7], [6, 40, 7]], { dtype });
const gamma = tensor([1, 2, 3], { dtype });
const beta = tensor([0, 1, -1], { dtype });
// prettier-ignore
const g = tensor([[1, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 2]], { dtype });
const m = x.shape[0];

title('Forward: each column is normalized on its own');
show('x', x, `the batch: m = ${m} examples (rows), 3 features (columns)`);
const mean = x.mean(0);
show('mean = (1/m) Σ x', mean);
const d = x.sub(mean);
show('d = x − mean', d, 'each column has mean 0');
const variance = d.mul(d).mean(0);
show('variance = (1/m) Σ d²', variance);
const rstd = variance.add(eps).pow(-0.5);
show('rstd = 1/√(variance + ε)', rstd, 'ε keeps it finite for the constant column');
const xhat = d.mul(rstd);
show('xhat = d·rstd', xhat, 'each column has standard deviation 1; the constant column is 0');
const y = xhat.mul(gamma).add(beta);
show('y = gamma·xhat + beta', y, 'gamma and beta are learned: they set a new deviation and mean');

title('Backward: g = ∂loss/∂y is the incoming gradient');
show('g', g);
const dbeta = g.sum(0);
show('dbeta = Σ g', dbeta);
const dgamma = g.mul(xhat).sum(0);
show('dgamma = Σ g·xhat', dgamma);
const centered = g.sub(dbeta.div(m));
show('g − dbeta/m', centered, 'adding a constant to a column of x does not change y');
const projected = centered.sub(xhat.mul(dgamma.div(m)));
show('g − dbeta/m − xhat·dgamma/m', projected, 'nor, up to ε, does stretching the column');
const dx = gamma.mul(rstd).mul(projected);
show('dx = gamma·rstd·(g − dbeta/m − xhat·dgamma/m)', dx, 'each column sums to 0');

title('The same with BatchNorm1d');
x.requiresGrad = true;
const norm = new BatchNorm1d(3, { eps, dtype });
norm.loadStateDict({ ...norm.stateDict(), weight: gamma, bias: beta });
const output = norm.forward(x);
output.backward(g);
compare('y', y, output);
compare('dx', dx, x.grad);
compare('dgamma', dgamma, norm.gamma?.grad);
compare('dbeta', dbeta, norm.beta?.grad);

function title(text: string): void {
  console.log(`\n── ${text} ${'─'.repeat(72 - text.length)}`);
}

/** Prints an equation, a remark, and the numbers row by row. */
function show(equation: string, value: Tensor, remark = ''): void {
  const columns = value.shape.at(-1) ?? 1;
  const numbers = Array.from(value.dataSync(), (v) => (v === 0 ? 0 : v).toFixed(4).padStart(10));
  console.log(`\n${equation}${remark === '' ? '' : `    (${remark})`}`);
  for (let i = 0; i < numbers.length; i += columns) console.log(numbers.slice(i, i + columns).join(''));
}

function compare(name: string, mine: Tensor, theirs: Tensor | null | undefined): void {
  const difference = theirs ? mine.sub(theirs.detach()).abs().max().item() : NaN;
  console.log(`${name.padEnd(6)} largest difference: ${difference.toExponential(1)}`);
}
