/** The backward pass of one column, taken apart. Each number is computed by the library. */
import { noGrad } from '../../../src/index.ts';
import { type Column, column, columnOf, type Inputs, layerOf, numbersOf } from './column.ts';

/** The three ways along which x reaches y. */
export interface Paths {
  readonly direct: boolean;
  readonly mean: boolean;
  readonly variance: boolean;
}

export const allPaths: Paths = { direct: true, mean: true, variance: true };

/**
 * dx along the chosen paths only: where a path is left out, its part of the graph is detached, so the library's
 * automatic differentiation treats it as a constant.
 */
export function dxAlong({ x, g, gamma, beta, eps }: Inputs, { direct, mean, variance }: Paths): number[] {
  const leaf = columnOf(x, true);
  const along = (open: boolean) => (open ? leaf : leaf.detach());
  const average = along(mean).mean(0);
  const rstd = along(variance).variance(0).add(eps).pow(-0.5);
  const y = along(direct).sub(average).mul(rstd).mul(gamma).add(beta);
  if (y.requiresGrad) y.backward(columnOf(g));
  return leaf.grad === null ? x.map(() => 0) : numbersOf(leaf.grad);
}

/** The step of finite differences, in units of the spread of x. */
const STEP = 1e-4;
/** The largest error of finite differences, in units of the gradient. */
const TOLERANCE = 1e-4;

/** dx by central differences of the loss Σ gᵢ·yᵢ, computed with the forward pass only. */
export function numericalDx(inputs: Inputs, spread: number): number[] {
  const { x, g } = inputs;
  const layer = layerOf(inputs);
  const step = STEP * spread;
  const loss = (values: readonly number[]): number =>
    noGrad(() => layer.forward(columnOf(values)).mul(columnOf(g)).sum().item());
  return x.map((value, i) => {
    const [ahead, behind] = [value + step, value - step];
    return (loss(x.with(i, ahead)) - loss(x.with(i, behind))) / (ahead - behind);
  });
}

/**
 * Whether central differences tell the gradient: the rounding of x, relative to the step, stays below the tolerance of
 * {@link agrees}.
 */
export function hasNumericalDx({ x }: Inputs, spread: number): boolean {
  return (Number.EPSILON * Math.max(...x.map(Math.abs))) / (STEP * spread) < TOLERANCE / 2;
}

/** ∂yᵢ/∂xⱼ in row i and column j: row i is the dx of a g that is 1 at i and 0 elsewhere. */
export function jacobian(inputs: Inputs): number[][] {
  return inputs.x.map((_, i) =>
    column({ ...inputs, g: inputs.x.map((__, j) => (i === j ? 1 : 0)) }).dx.slice(),
  );
}

/** The three terms of dx = factor·(g − mean − along), for each example. */
export interface Terms {
  /** mean(g) = dbeta/m. */
  readonly mean: number;
  /** x̂ᵢ·mean(g·x̂) = x̂ᵢ·dgamma/m. */
  readonly along: readonly number[];
  /** gᵢ less both. */
  readonly rest: readonly number[];
  /** γ·rstd. */
  readonly factor: number;
}

export function termsOf({ x, g, xhat, dbeta, dgamma, gamma, rstd }: Column): Terms {
  const m = x.length;
  const mean = columnOf([dbeta]).div(m);
  const along = columnOf(xhat).mul(dgamma / m);
  return {
    mean: mean.item(),
    along: numbersOf(along),
    rest: numbersOf(columnOf(g).sub(mean).sub(along)),
    factor: gamma * rstd,
  };
}

/** Whether two gradients agree up to the error of finite differences. */
export function agrees(dx: number, numerical: number, scale: number): boolean {
  return Math.abs(dx - numerical) <= TOLERANCE * scale + 1e-9;
}
