/**
 * Batch normalization by hand: forward and backward on a batch of 4 examples with 3 features, every
 * equation with its numbers. At the end, `BatchNorm1d` does the same and the two are compared.
 *
 * The third feature is the same for all examples, to show what becomes of such a column.
 */
import { BatchNorm1d, type Tensor, tensor, useDevice } from '../src/index.ts';

await useDevice('cpu'); // which has float64, so that the equations hold to 15 digits

const eps = 1e-5;
const dtype = 'float64';
const x = tensor(
  [
    [1, 10, 7],
    [2, 30, 7],
    [3, 20, 7],
    [6, 40, 7],
  ],
  { dtype, requiresGrad: true },
);
const gamma = tensor([1, 2, 3], { dtype });
const beta = tensor([0, 1, -1], { dtype });
/** The gradient that comes in from the rest of a network: ∂loss/∂y. */
const g = tensor(
  [
    [1, 0, 1],
    [0, 1, 1],
    [0, 0, 1],
    [0, 0, 2],
  ],
  { dtype },
);
const m = x.shape[0];

show('x', x, `the batch: m = ${m} examples (rows), 3 features (columns)`);

title('Forward: each column on its own');
const mean = x.detach().mean(0);
show('mean = (1/m) Σ x', mean);
const d = x.detach().sub(mean);
show('d = x − mean', d, 'every column now has mean 0');
const variance = d.mul(d).mean(0);
show('variance = (1/m) Σ d²', variance);
const rstd = variance.add(eps).pow(-0.5);
show('rstd = 1/√(variance + ε)', rstd, 'ε keeps it finite for the constant column');
const xhat = d.mul(rstd);
show('xhat = d·rstd', xhat, 'every column now has deviation 1; the constant one is 0');
const y = xhat.mul(gamma).add(beta);
show('y = gamma·xhat + beta', y, 'gamma and beta are learned: they choose deviation and mean anew');

title('Backward: g = ∂loss/∂y comes in');
show('g', g);
const dbeta = g.sum(0);
show('dbeta = Σ g', dbeta);
const dgamma = g.mul(xhat).sum(0);
show('dgamma = Σ g·xhat', dgamma);
const withoutMean = g.sub(dbeta.div(m));
show('g − dbeta/m', withoutMean, 'a shift of the whole column changes nothing, so its gradient goes');
const withoutScale = withoutMean.sub(xhat.mul(dgamma.div(m)));
show('… − xhat·dgamma/m', withoutScale, 'nor does a stretch of the column, so that part goes too');
const dx = gamma.mul(rstd).mul(withoutScale);
show('dx = gamma·rstd·(…)', dx, 'every column sums to 0, and is orthogonal to xhat up to ε');

title('The same by BatchNorm1d');
const norm = new BatchNorm1d(3, { eps, dtype });
norm.loadStateDict({ ...norm.stateDict(), weight: gamma, bias: beta });
const shipped = norm.forward(x);
shipped.backward(g);
for (const [name, mine, theirs] of [
  ['y', y, shipped],
  ['dx', dx, x.grad],
  ['dgamma', dgamma, norm.gamma?.grad],
  ['dbeta', dbeta, norm.beta?.grad],
] as const) {
  console.log(`${name.padEnd(6)} largest difference: ${difference(mine, theirs).toExponential(1)}`);
}

function title(text: string): void {
  console.log(`\n── ${text} ${'─'.repeat(72 - text.length)}`);
}

/** A value with its equation, row by row. */
function show(equation: string, value: Tensor, remark = ''): void {
  const columns = value.shape.at(-1) ?? 1;
  const numbers = Array.from(value.dataSync(), (v) => (v === 0 ? 0 : v).toFixed(4).padStart(10));
  console.log(`\n${equation}${remark === '' ? '' : `    (${remark})`}`);
  for (let i = 0; i < numbers.length; i += columns) console.log(numbers.slice(i, i + columns).join(''));
}

function difference(a: Tensor, b: Tensor | null | undefined): number {
  return b ? a.detach().sub(b.detach()).abs().max().item() : NaN;
}
