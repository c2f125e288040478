/**
 * Folds batch normalization into the product next to it. In evaluation it is linear, y = s·x + t for each feature, with
 *
 *     s = γ/√(Var + ε)     t = β − s·E
 *
 *     (x·W + b)·s + t = x·W′ + b′     with W′ = W·diag(s), b′ = b·s + t     (batch normalization after the product)
 *     (x·s + t)·W + b = x·W′ + b′     with W′ = diag(s)·W, b′ = t·W + b     (in front of it)
 *
 * The new weights are computed in float64.
 */
import { BEFORE, type Constant, constantsOf, type Node } from './graph.ts';

/** The nodes, with each batch normalization folded into the product before it, or else the one after it. */
export function fold(nodes: readonly Node[]): readonly Node[] {
  const folded: Node[] = [];
  for (const node of nodes) {
    const before = folded.at(-1);
    if (before?.op === 'Gemm' && node.op === 'BatchNormalization') folded.push(after(take(folded), node));
    else if (node.op === 'Gemm') folded.push(inFront(folded, node));
    else folded.push(node);
  }
  return folded;
}

/** Removes the last node and returns it. */
function take(nodes: Node[]): Node {
  const [last] = nodes.splice(-1);
  return last;
}

/** The product with the batch normalization after it. */
function after(product: Node, norm: Node): Node {
  const { W, b, inFeatures, outFeatures } = weightsOf(product);
  const { s, t } = scaleAndShift(norm);
  return withWeights(product, {
    W: Float64Array.from({ length: inFeatures * outFeatures }, (_, at) => W[at] * s[at % outFeatures]),
    b: t.map((shift, j) => b(j) * s[j] + shift),
  });
}

/** The product with all batch normalizations directly in front of it, which are removed from `nodes`. */
function inFront(nodes: Node[], product: Node): Node {
  if (nodes.at(-1)?.op !== 'BatchNormalization') return product;
  const { s, t } = scaleAndShift(take(nodes));
  const { W, b, inFeatures, outFeatures } = weightsOf(product);
  const shifted = Float64Array.from({ length: outFeatures }, (_, j) => b(j));
  for (let i = 0; i < inFeatures; i++) {
    for (let j = 0; j < outFeatures; j++) shifted[j] += t[i] * W[i * outFeatures + j];
  }
  const scaled = Float64Array.from(W, (w, at) => s[Math.floor(at / outFeatures)] * w);
  return inFront(nodes, withWeights(product, { W: scaled, b: shifted }));
}

/** s and t of a batch normalization. */
function scaleAndShift(norm: Node): { s: Float64Array; t: Float64Array } {
  const { epsilon } = norm.attributes;
  const [gamma, beta, mean, variance] = constantsOf(norm).map(({ data }) => data);
  const eps = 'float' in epsilon ? epsilon.float : 0;
  const s = Float64Array.from(gamma, (scale, j) => scale / Math.sqrt(variance[j] + eps));
  return { s, t: s.map((scale, j) => beta[j] - scale * mean[j]) };
}

/** W [in, out] and b [out] of a product. Without a bias, b is 0. */
function weightsOf(product: Node) {
  const [weight, bias] = constantsOf(product) as [Constant, Constant?];
  const [inFeatures, outFeatures] = weight.shape;
  const b = (j: number): number => (bias === undefined ? 0 : bias.data[j]);
  return { W: weight.data, b, inFeatures, outFeatures };
}

/** The product with other weights. */
function withWeights(product: Node, { W, b }: { W: Float64Array; b: Float64Array }): Node {
  const [weight] = constantsOf(product);
  const bias = { name: weight.name.replace(/weight$/, 'bias'), shape: [b.length], data: b };
  return { ...product, inputs: [BEFORE, { ...weight, data: W }, bias] };
}
