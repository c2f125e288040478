/** The exercise: where it begins, its hints and its solution. */

export const start = `// One column of m examples; xhat = (x - mean) * rstd, and y = gamma * xhat + beta.
// g[i] is the gradient of the loss with respect to y[i].
function backward(g, x, gamma, mean, rstd) {
  const m = g.length;
  const dx = new Array(m).fill(0);
  let dgamma = 0;
  let dbeta = 0;

  // Fill in dbeta, dgamma, and then dx.

  return { dx, dgamma, dbeta };
}
`;

export const hints: readonly string[] = [
  'β is added to every y. If β grows by a little, every y grows by as much: so dbeta is the sum of all g.',
  'γ multiplies x̂, a number for each example. So each g counts with its x̂ in dgamma. Compute x̂ again: it was not kept.',
  'If mean and rstd were constants, dx[i] would be gamma · rstd · g[i]. Begin with that, and read what the answer says.',
  'The mean moves with every x, so that dx cannot have a mean: subtract the mean of g, which is dbeta / m.',
  'The variance moves too: dx has no part along x̂. That part of g is xhat[i] · dgamma / m.',
];

export const solution = `function backward(g, x, gamma, mean, rstd) {
  const m = g.length;
  const dx = new Array(m).fill(0);
  let dgamma = 0;
  let dbeta = 0;
  const xhat = x.map((value) => (value - mean) * rstd);
  for (let i = 0; i < m; i++) dbeta += g[i];
  for (let i = 0; i < m; i++) dgamma += g[i] * xhat[i];
  for (let i = 0; i < m; i++) {
    dx[i] = gamma * rstd * (g[i] - dbeta / m - (xhat[i] * dgamma) / m);
  }
  return { dx, dgamma, dbeta };
}
`;
